"""A batch under dead workers, repeated bells and many hands: each order is refunded once, none forgotten."""

import subprocess
import time
from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from fulfillment import batches, tasks
from fulfillment.models import Action, Batch
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, signed_in
from tests.faults.breaking import at_once, broken
from tests.fulfillment.desk import Desk, fresh, mirrored_order, settled
from tests.fulfillment.selections import (
    confirm,
    confirmed,
    orders,
    previewed,
    results,
    rung,
    select,
)
from tests.fulfillment.test_worker import PATIENCE, kill, start
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

__all__ = ["orders", "start"]
State = Action.State
pytestmark = [pytest.mark.usefixtures("hurried"), pytest.mark.django_db(transaction=True)]


def refunded_once(desk: Desk, entries: list[Transaction]) -> None:
    for entry in entries:
        action = Action.objects.get(transaction=entry)
        if action.state == State.REQUESTED:
            tasks.run_action(action.pk)
        settled(action, State.REFUNDED)
        assert desk.posts(entry.pk) == desk.completed(entry.pk) == len(desk.refunds(entry.pk)) == 1


def test_eight_hands_that_confirm_the_same_batch_begin_it_once(
    ann: Person, desk: Desk, orders: list[Transaction]
) -> None:
    batch = previewed(ann, orders)
    answers = []

    def press() -> None:
        browser = signed_in(ann.membership.user)
        answers.append(confirm(Person(ann.membership, browser), batch, "REFUND 4").status_code)

    at_once(8, press)
    assert answers == [302] * 8
    assert AuditEvent.objects.filter(event="batch.refund").count() == rung() == 1
    tasks.run_batch(str(batch.pk))
    refunded_once(desk, orders)


def test_eight_forms_at_once_are_one_preview(ann: Person, orders: list[Transaction]) -> None:
    made = set()

    def press() -> None:
        browser = signed_in(ann.membership.user)
        made.add(select(Person(ann.membership, browser), orders)["Location"])

    at_once(8, press)
    assert len(made) == Batch.objects.count() == 1
    assert Batch.objects.get().items.count() == 4


def test_eight_workers_on_one_batch_do_each_row_once(
    ann: Person, desk: Desk, lantern: Merchant, orders: list[Transaction]
) -> None:
    desk.fault("no_race_guard", count=None, seconds=0.05)
    orders += [mirrored_order(lantern, desk) for _ in range(8)]
    batch = confirmed(ann, orders)
    at_once(8, lambda: tasks.run_batch(str(batch.pk)))
    assert (fresh(batch).state, Action.objects.count()) == ("done", 12)
    assert set(batch.items.values_list("state", flat=True)) == {"asked"}
    refunded_once(desk, orders)


def test_two_batches_of_the_same_orders_refund_each_once(
    ann: Person, ben: Person, desk: Desk, orders: list[Transaction]
) -> None:
    both = [confirmed(ann, orders), confirmed(ben, orders[::-1])]
    at_once(4, lambda: [tasks.run_batch(str(batch.pk)) for batch in both])
    assert [fresh(batch).state for batch in both] == ["done", "done"]
    states = [state for batch in both for state in batch.items.values_list("state", flat=True)]
    assert sorted(states) == ["asked"] * 4 + ["blocked"] * 4
    refunded_once(desk, orders)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_a_row_leaves_it_to_the_next_which_does_it_once(
    ann: Person, desk: Desk, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    from fulfillment import actions

    request, calls = actions.request_refund, []

    def dying(*arguments: object, **named: object) -> Action:
        calls.append(1)
        if len(calls) == 3 and when == "before":
            raise SystemExit
        action = request(*arguments, **named)
        if len(calls) == 3:
            raise SystemExit
        return action

    batch = confirmed(ann, orders)
    with broken(monkeypatch, actions, "request_refund", dying), pytest.raises(SystemExit):
        tasks.run_batch(str(batch.pk))
    assert Action.objects.count() == 2
    assert batches.due() == []  # it may still be alive
    Batch.objects.update(look_at=timezone.now())
    assert batches.due() == [batch.pk]
    tasks.run_batch(str(batch.pk))
    assert (fresh(batch).state, Action.objects.count()) == ("done", 4)
    refunded_once(desk, orders)


def test_a_worker_process_that_is_killed_in_the_middle_of_a_batch_causes_no_second_refund(
    ann: Person, desk: Desk, lantern: Merchant, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    entries = [mirrored_order(lantern, desk) for _ in range(10)]
    worker = start()
    batch = previewed(ann, entries)
    with transaction.atomic():
        Transaction.objects.select_for_update().get(pk=entries[4].pk)  # where the worker has to wait
        at_once(1, lambda: confirm(ann, batch, "REFUND 10"))  # over another line, or it would wait for us
        eventually(lambda: Action.objects.count() == 4, PATIENCE)
        kill(worker)
    assert (fresh(batch).state, Action.objects.count()) == ("running", 4)
    start()

    def all_refunded() -> bool:
        Batch.objects.filter(state="running").update(look_at=timezone.now())
        Action.objects.filter(state__in=Action.OPEN).update(look_at=timezone.now())
        tasks.sweep_batches()
        tasks.sweep_actions()
        time.sleep(1)
        return Action.objects.filter(state=State.REFUNDED).count() == 10

    eventually(all_refunded, 2 * PATIENCE)
    assert fresh(batch).state == "done"
    for entry in entries:
        assert desk.posts(entry.pk) == desk.completed(entry.pk) == len(desk.refunds(entry.pk)) == 1
    assert [row["Result"] for row in results(ann, batch)] == ["Refunded"] * 10
