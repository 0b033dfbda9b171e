"""A refund can be taken back until it leaves; it never leaves before its time; one of the two wins."""

import datetime as dt
import random
import threading
import time
from collections.abc import Callable
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from fulfillment import actions, tasks, timeline
from fulfillment.models import Action
from merchant.models import AuditEvent, Merchant, RefundRules
from merchant.paysuper.client import Client
from tests.conftest import Person, person
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order, sent, settled
from tests.fulfillment.refunding import form
from tests.fulfillment.test_worker import PATIENCE, Start, start
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

__all__ = ["start"]
State = Action.State


def window(merchant: Merchant, seconds: int) -> None:
    RefundRules.objects.filter(merchant=merchant).update(undo_seconds=seconds)


def passed(action: Action) -> Action:
    """As if the time for undoing were over."""
    ago = timezone.now() - dt.timedelta(seconds=1)
    Action.objects.filter(pk=action.pk).update(send_at=ago, look_at=ago)
    return fresh(action)


# Nothing leaves before its time -------------------------------------------------------------------


def test_without_rules_of_its_own_a_merchant_has_ten_seconds(
    ann: Person, lantern: Merchant, order: Transaction
) -> None:
    RefundRules.objects.all().delete()
    action = ask(order, ann)
    wait = (action.send_at - action.requested_at).total_seconds()
    assert 9 < wait < 11
    assert action.look_at == action.send_at


def test_a_bell_that_rings_early_sends_nothing_and_loses_nothing(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    window(lantern, 60)
    action = ask(order, ann)
    for _ in range(3):
        tasks.run_action(action.pk)
    assert (fresh(action).state, desk.posts(order.pk)) == (State.REQUESTED, 0)
    assert actions.due() == []
    action = passed(action)
    assert actions.due() == [(action.pk, "requested")]
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)
    assert desk.posts(order.pk) == 1


def test_a_worker_whose_clock_is_a_day_ahead_sends_nothing_early(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    window(lantern, 60)
    action, real = ask(order, ann), timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + dt.timedelta(days=1))
    assert actions.due() == []
    tasks.run_action(action.pk)
    assert (fresh(action).state, desk.posts(order.pk)) == (State.REQUESTED, 0)


@pytest.mark.parametrize("days", [-1, 1])
def test_a_web_server_with_a_wrong_clock_gives_everybody_the_same_time(
    ann: Person, order: Transaction, lantern: Merchant, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    window(lantern, 60)
    real = timezone.now
    with monkeypatch.context() as wrong:
        wrong.setattr(timezone, "now", lambda: real() + dt.timedelta(days=days))
        action = ask(order, ann)
    assert 55 < (action.send_at - real()).total_seconds() < 61


def test_with_no_time_for_undoing_a_refund_leaves_at_once(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    assert sent(order, ann).state == State.ACCEPTED


@pytest.mark.django_db(transaction=True)
def test_a_refund_leaves_by_its_own_bell_when_its_time_has_come(
    ben: Person, desk: Desk, lantern: Merchant, start: Start
) -> None:
    window(lantern, 2)
    first, order = mirrored_order(lantern, desk), mirrored_order(lantern, desk)
    window(lantern, 0)
    start()
    ben.browser.post(f"/transactions/{first.pk}/refund/", form(first))
    eventually(lambda: desk.posts(first.pk) == 1, PATIENCE)  # the worker is up
    window(lantern, 2)
    ben.browser.post(f"/transactions/{order.pk}/refund/", form(order))
    asked = time.monotonic()
    eventually(lambda: desk.posts(order.pk) == 1, PATIENCE)
    assert 1.5 < time.monotonic() - asked < 8
    action = Action.objects.get(transaction=order)
    assert action.sent_at >= action.send_at


# Taking back --------------------------------------------------------------------------------------


def test_what_is_taken_back_is_never_sent_and_may_be_asked_for_again(
    ann: Person, ben: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    window(lantern, 60)
    action = ask(order, ben)
    actions.undo(action, ann.membership)
    assert (fresh(action).state, fresh(order).refund_state) == (State.UNDONE, State.UNDONE)
    tasks.run_action(passed(action).pk)
    assert desk.posts(order.pk) == 0
    window(lantern, 0)
    assert settled(sent(fresh(order), ben), State.REFUNDED)
    assert desk.completed(order.pk) == 1


def test_it_stands_in_audit_and_timeline_who_took_it_back(
    ann: Person, ben: Person, order: Transaction, lantern: Merchant
) -> None:
    action = ask(order, ben)
    actions.undo(action, ann.membership)
    line = AuditEvent.objects.get(event="refund.undone")
    assert (line.user, line.subject) == (ann.membership.user, str(order.pk))
    told = timeline.events(fresh(order))[0]
    assert told.title == "Refund: Taken back before it was sent"
    assert "ann@example.com" in told.detail


@pytest.mark.parametrize("state", sorted(set(State.values) - {"requested", "awaiting_approval"}))
def test_only_what_has_not_been_sent_can_be_taken_back(ann: Person, order: Transaction, state: str) -> None:
    action = ask(order, ann)
    Action.objects.filter(pk=action.pk).update(state=state)
    with pytest.raises(actions.Blocked, match="too late"):
        actions.undo(action, ann.membership)
    assert fresh(action).state == state


def test_while_paysuper_cannot_be_reached_a_refund_can_still_be_taken_back(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    Merchant.objects.update(api_url="http://127.0.0.1:1")
    action = sent(order, ann)
    assert action.state == State.REQUESTED
    actions.undo(action, ann.membership)
    assert fresh(action).state == State.UNDONE


def test_the_card_shows_the_moment_and_a_button_and_htmx_the_seconds(
    ben: Person, vera: Person, order: Transaction, lantern: Merchant
) -> None:
    window(lantern, 60)
    action = ask(order, ben)
    card = ben.browser.get(f"/transactions/{order.pk}/").content.decode()
    assert "It leaves at" in card
    assert f'datetime="{timezone.localtime(action.send_at, lantern.zone).isoformat()}"' in card or (
        action.send_at.isoformat() in card
    )
    assert f'action="/actions/{action.pk}/undo/"' in card
    assert "second" not in card.split("It leaves at")[1].split("until then")[0]
    part = ben.browser.get(f"/transactions/{order.pk}/state/", headers={"HX-Request": "true"})
    assert " seconds; until then it can be undone" in part.content.decode()
    assert "/undo/" not in vera.browser.get(f"/transactions/{order.pk}/").content.decode()


def test_the_button_takes_back_and_a_second_press_says_so(
    ben: Person, order: Transaction, lantern: Merchant
) -> None:
    window(lantern, 60)
    action = ask(order, ben)
    for _ in range(2):
        answer = ben.browser.post(f"/actions/{action.pk}/undo/")
        assert answer["Location"] == f"/transactions/{order.pk}/"
    assert fresh(action).state == State.UNDONE
    page = ben.browser.get(answer["Location"]).content.decode()
    assert "Nothing was sent to PaySuper." in page
    assert "too late" in page
    answer = ben.browser.post(f"/actions/{action.pk}/undo/", {"back": "refunds"})
    assert answer["Location"] == "/refunds/"


# Both at once -------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_taking_back_and_sending_at_once_exactly_one_wins_a_hundred_times(
    lantern: Merchant, desk: Desk, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, meeting, chance = Client.refunds, threading.Barrier(2, timeout=20), random.Random(7)

    def meet(longest: float) -> None:
        meeting.wait()
        time.sleep(chance.uniform(0, longest))

    def looked(self: Client, order: UUID) -> object:
        found = look(self, order)
        meet(0.004)  # from here to its claim the worker believes that the refund is wanted
        return found

    monkeypatch.setattr(Client, "refunds", looked)
    undone = 0
    for _ in range(100):
        action = ask(mirrored_order(lantern, desk), ann)
        # The worker has some way to go yet: the person sets out later.
        won = taken_back_while_sent(action, ann, lambda: meet(0.016))
        posts = desk.posts(action.transaction_id)
        assert (won, fresh(action).state == State.UNDONE, posts) in [(True, True, 0), (False, False, 1)]
        undone += won
    assert 5 < undone < 95, f"the two did not really meet: {undone} of 100 were taken back"


def taken_back_while_sent(action: Action, who: Person, meet: Callable[[], None]) -> bool:
    """Whether taking back won against the worker."""
    won = []

    def take_back() -> None:
        mine = fresh(action)
        meet()
        try:
            actions.undo(mine, who.membership)
            won.append(True)
        except actions.Blocked:
            won.append(False)
        finally:
            connection.close()

    def send() -> None:
        tasks.run_action(action.pk)
        connection.close()

    threads = [threading.Thread(target=each) for each in (take_back, send)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won[0]


def test_a_stranger_takes_nothing_back(cleo: Person, lantern: Merchant, order: Transaction) -> None:
    action = ask(order, person(lantern, "dan", "developer"))
    assert cleo.browser.post(f"/actions/{action.pk}/undo/").status_code == 404
    assert fresh(action).state == State.REQUESTED
