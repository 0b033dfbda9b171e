"""Clocks jump and differ: nothing leaves early, nothing lies for hours."""

import contextlib
import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone

from fulfillment import actions, batches, inbox, tasks
from fulfillment.models import Action, Batch, WebhookEvent
from merchant.beat import Scheduler
from merchant.celery import app
from merchant.models import Merchant, Project, RefundRules
from tests.conftest import Person
from tests.fulfillment.desk import Desk, ask, fresh, sent, settle, settled
from transactions.models import Transaction

State = Action.State
pytestmark = pytest.mark.usefixtures("hurried")
HOURS = dt.timedelta(hours=5)


def moved(action: Action, by: dt.timedelta) -> Action:
    """As if the row had been written by a clock that was wrong by so much."""
    names = [name for name in ("send_at", "sent_at", "look_at") if getattr(action, name)]
    Action.objects.filter(pk=action.pk).update(**{name: getattr(action, name) + by for name in names})
    return fresh(action)


@pytest.mark.parametrize("by", [HOURS, -HOURS])
def test_what_paysuper_has_accepted_is_looked_at_at_once_after_a_jump(
    ann: Person, desk: Desk, order: Transaction, by: dt.timedelta
) -> None:
    action = moved(sent(order, ann), by)
    assert actions.due() == [(action.pk, "accepted")]
    assert settled(action, State.REFUNDED)
    assert desk.posts(order.pk) == 1


@pytest.mark.parametrize("by", [HOURS, -HOURS])
def test_a_worker_that_died_before_a_jump_is_found_out_and_nothing_is_sent_again(
    ann: Person, desk: Desk, order: Transaction, by: dt.timedelta
) -> None:
    action = sent(order, ann)
    Action.objects.filter(pk=action.pk).update(state=State.SENDING, paysuper_refund_id="")
    action = moved(fresh(action), by)
    assert actions.due() == [(action.pk, "sending")]
    assert settled(action, State.REFUNDED)
    assert desk.posts(order.pk) == 1


def test_after_the_clock_was_set_back_the_time_for_undoing_begins_anew(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(undo_seconds=60)
    action = moved(ask(order, ann), HOURS)
    assert actions.due() == [(action.pk, "requested")]
    tasks.run_action(action.pk)
    action = fresh(action)
    assert (action.state, desk.posts(order.pk)) == (State.REQUESTED, 0)
    assert 50 < (action.send_at - timezone.now()).total_seconds() < 61
    assert actions.due() == []


@pytest.mark.parametrize("by", [HOURS, -HOURS])
def test_a_worker_with_a_wrong_clock_takes_nobody_for_dead_and_asks_nobody_too_early(
    ann: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch, by: dt.timedelta
) -> None:
    real = timezone.now
    desk.fault("lost_answer")
    desk.plan("stuck_at_2")
    with monkeypatch.context() as wrong:
        wrong.setattr(timezone, "now", lambda: real() + by)
        action = sent(order, ann)
        assert abs(action.sent_at - real()) < dt.timedelta(minutes=1)
        assert action.look_at - real() < dt.timedelta(minutes=1)
        desk.refuse(200, '{"count":0,"items":null}', method="GET")
        assert settle(action).state == State.UNKNOWN
        Action.objects.filter(pk=action.pk).update(state=State.SENDING, look_at=real() + HOURS / 60)
        assert settle(action).state == State.SENDING
    assert actions.due() == []


@pytest.mark.parametrize("by", [HOURS, -HOURS])
def test_a_webhook_and_a_batch_do_not_wait_for_the_hours_of_a_jump(
    ann: Person, harbour: Project, by: dt.timedelta
) -> None:
    body = b'{"id":"a","event":"payment.success","object":{"id":"5c1a6d58-3b9b-4d51-a7a2-b3a3c70ae4b1"}}'
    event = inbox.store(harbour, inbox.Delivery(body))
    WebhookEvent.objects.update(try_at=timezone.now() + by)
    assert inbox.due() == [event.id]
    batch = Batch.objects.create(
        merchant=harbour.merchant, requested_by=ann.membership.user, kind="fulfil", state="running",
        look_at=timezone.now() + by,
    )  # fmt: skip
    assert batches.due() == [batch.pk]


def test_beat_rings_on_after_its_clock_was_set_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, minute, real = set(app.conf.beat_schedule), dt.timedelta(seconds=61), app.now
    with contextlib.closing(Scheduler(app=app, schedule_filename=str(tmp_path / "beat"))) as beat:
        with monkeypatch.context() as wrong:
            wrong.setattr(app, "now", lambda: real() + HOURS)
            for _ in ours:
                beat.tick()
        beat.tick()
        assert all(real() - minute < beat.schedule[name].last_run_at <= real() for name in ours)
        often = {name for name in ours if beat.schedule[name].schedule.run_every <= minute}
        next_times = [each.time for each in beat._heap if each.entry.name in often]
        assert max(next_times) < (real() + minute).timestamp()
