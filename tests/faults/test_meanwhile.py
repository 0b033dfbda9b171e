"""What was true when a refund was asked for must be true when money moves."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection, transaction

from fulfillment import actions, tasks
from fulfillment.models import Action
from merchant.models import Membership, Merchant, RefundRules, User
from tests.conftest import Person, person
from tests.fulfillment.desk import Desk, ask, earlier, fresh, mirrored_order, sent, settle, settled
from tests.fulfillment.test_refund_parts import eve, old, old_desk, paid, part
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction

__all__ = ["eve", "old", "old_desk", "paid"]
State = Action.State
pytestmark = pytest.mark.usefixtures("hurried")


def leaves(person: Person) -> None:
    Membership.objects.filter(pk=person.membership.pk).delete()


def is_demoted(person: Person) -> None:
    Membership.objects.filter(pk=person.membership.pk).update(role="view_only")


def is_locked_out(person: Person) -> None:
    User.objects.filter(pk=person.membership.user_id).update(is_active=False)


WAYS_TO_LOSE_A_RIGHT = [leaves, is_demoted, is_locked_out]


def run(action: Action) -> Action:
    tasks.run_action(action.pk)
    return fresh(action)


# People lose their rights -------------------------------------------------------------------------


@pytest.mark.parametrize("loses_it", WAYS_TO_LOSE_A_RIGHT)
def test_a_refund_does_not_leave_when_who_asked_may_no_longer_refund(
    ann: Person, ben: Person, desk: Desk, order: Transaction, loses_it: Callable[[Person], None]
) -> None:
    action = ask(order, ben)
    loses_it(ben)
    action = run(action)
    assert (action.state, fresh(order).refund_state, desk.posts(order.pk)) == ("refused", "refused", 0)
    assert action.outcome == (
        "Who asked for this refund is not allowed to refund any more. Nothing was sent."
    )
    assert settled(sent(fresh(order), ann), State.REFUNDED)


def awaiting(lantern: Merchant, desk: Desk, ben: Person) -> Action:
    RefundRules.objects.filter(merchant=lantern).update(limit_support=1, limit_currency="EUR")
    return ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben)


def approve(action: Action, who: Person) -> None:
    actions.approve(fresh(action), who.membership, note="", seen=(action.amount, action.currency))


@pytest.mark.parametrize("loses_it", WAYS_TO_LOSE_A_RIGHT)
def test_a_refund_does_not_leave_when_who_approved_may_no_longer_approve(
    ben: Person, lantern: Merchant, desk: Desk, loses_it: Callable[[Person], None]
) -> None:
    dan, action = person(lantern, "dan", "developer"), awaiting(lantern, desk, ben)
    approve(action, dan)
    loses_it(dan)
    action = run(action)
    assert (action.state, desk.posts(action.transaction_id)) == (State.REFUSED, 0)
    assert "not allowed to approve any more" in action.outcome


def test_nobody_can_approve_for_somebody_who_left_but_everybody_can_turn_it_down(
    ann: Person, ben: Person, lantern: Merchant, desk: Desk
) -> None:
    action = awaiting(lantern, desk, ben)
    leaves(ben)
    with pytest.raises(actions.Blocked, match="not allowed to refund any more"):
        approve(action, ann)
    page = ann.browser.get(f"/actions/{action.pk}/decide/").content.decode()
    assert "not allowed to refund any more" in page
    actions.reject(fresh(action), ann.membership, note="she has left")
    assert fresh(action).state == State.NOT_APPROVED


def test_what_has_reached_paysuper_is_followed_whoever_has_left(
    ben: Person, desk: Desk, order: Transaction
) -> None:
    action = sent(order, ben)
    leaves(ben)
    assert settled(action, State.REFUNDED)


@pytest.mark.parametrize("change", ["role", "limit"])
def test_a_refund_that_would_need_approval_by_now_does_not_leave_without(
    ann: Person, lantern: Merchant, desk: Desk, change: str
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(limit_support=1, limit_currency="EUR")
    action = ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ann)
    assert action.state == State.REQUESTED
    if change == "role":
        Membership.objects.filter(pk=ann.membership.pk).update(role="support")
    else:
        RefundRules.objects.filter(merchant=lantern).update(limit_owner=1)
    action = run(action)
    assert (action.state, desk.posts(action.transaction_id)) == (State.REFUSED, 0)
    assert "needs the approval of a second person" in action.outcome


# The order, or PaySuper, is another one -----------------------------------------------------------


def test_a_refund_does_not_leave_for_an_order_that_was_charged_back_meanwhile(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    action = ask(order, ann)
    desk.charge_back(order.pk)
    eventually(lambda: sync.refresh(lantern, order.pk) and fresh(order).status == "chargeback")
    # PaySuper itself may have forgotten it: a late acknowledgement brings an old status back (§13.6).
    desk.refuse(200, '{"count":0,"items":null}', method="GET")
    action = run(action)
    assert (action.state, desk.posts(order.pk)) == (State.REFUSED, 0)
    assert action.outcome == "This order was charged back. Nothing was sent."


@pytest.mark.parametrize("change", ["generation", "rules"])
def test_a_part_never_leaves_to_a_paysuper_that_would_give_back_the_whole(
    eve: Person, old_desk: Desk, paid: Transaction, change: str
) -> None:
    action = part(paid, eve, "5")
    if change == "generation":
        Merchant.objects.update(generation="2021")
    else:
        RefundRules.objects.update(allows_parts=False)
    action = run(action)
    assert (action.state, old_desk.posts(paid.pk)) == (State.REFUSED, 0)
    assert action.outcome == "PaySuper gives back the whole charge only. Nothing was sent."


def test_the_whole_charge_may_leave_to_either_paysuper(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    action = ask(paid, eve)
    assert action.amount == Decimal(20)
    RefundRules.objects.update(allows_parts=False)
    assert settled(run(action), State.REFUNDED)


# Closed by a person, completed by PaySuper --------------------------------------------------------


def closed(order: Transaction, who: Person, desk: Desk) -> Action:
    """A refund that PaySuper has, does not show, and that somebody closed therefore."""
    desk.fault("lost_answer")
    desk.plan("stuck_at_2")
    action = sent(order, who)
    desk.refuse(200, '{"count":0,"items":null}', method="GET")
    action = settle(earlier(action, minutes=11))
    assert action.state == State.NEEDS_PERSON
    actions.close(action, who.membership, "their hotline says no")
    return fresh(action)


def test_a_closed_refund_that_paysuper_goes_on_with_is_noticed(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    action = closed(order, ann, desk)
    assert actions.due() == []
    assert actions.look_now(order.pk) == [action.pk]  # news of the order comes
    assert (action.pk, "refused") in [*actions.due(), *later(action)]
    action = settle(action)
    assert (action.state, fresh(order).refund_state) == (State.ACCEPTED, State.ACCEPTED)
    assert "their hotline says no" in action.outcome
    assert "all the same" in action.outcome
    with pytest.raises(actions.Blocked, match="under way"):
        ask(order, ann)


def later(action: Action) -> list[tuple[int, str]]:
    """What is due after a while."""
    Action.objects.filter(pk=action.pk).update(look_at=action.changed_at)
    return actions.due()


def test_a_closed_refund_stays_closed_while_another_one_of_the_order_is_open(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    action = closed(order, ann, desk)
    second = ask(fresh(order), ann)
    assert settle(action).state == State.REFUSED
    assert run(second).state == State.REFUSED  # meets the first one at PaySuper
    assert settle(action).state == State.ACCEPTED
    assert desk.posts(order.pk) == len(desk.refunds(order.pk)) == 1


def test_a_closed_refund_is_looked_after_for_a_week_and_an_ordinary_refusal_never(
    ann: Person, desk: Desk, lantern: Merchant, order: Transaction
) -> None:
    desk.fault("reset")
    action = settle(earlier(sent(order, ann), minutes=11))
    actions.close(action, ann.membership, "their hotline says no")
    assert settle(fresh(action)).look_at is not None
    Action.objects.filter(pk=action.pk).update(changed_at=earlier(action, days=8).requested_at)
    assert settle(action).look_at is None
    desk.refuse(400, '{"code":"rf000007","message":"no"}')
    refused = sent(mirrored_order(lantern, desk), ann)
    assert (refused.state, refused.look_at) == (State.REFUSED, None)
    assert actions.look_now(refused.transaction_id) == actions.look_now(order.pk) == []


# Taking back while somebody approves --------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_taking_back_in_the_moment_of_the_approval_takes_back(
    ann: Person, ben: Person, lantern: Merchant, desk: Desk
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(undo_seconds=60)
    action, said = awaiting(lantern, desk, ben), []

    def take_back() -> None:
        try:
            actions.undo(fresh(action), ben.membership)
            said.append("taken back")
        except actions.Blocked as blocked:
            said.append(str(blocked))
        finally:
            connection.close()

    thread = threading.Thread(target=take_back)
    with transaction.atomic():
        approve(action, ann)
        thread.start()
        eventually(waits_for_a_lock, 10)
    thread.join()
    assert (said, fresh(action).state) == (["taken back"], State.UNDONE)


def waits_for_a_lock() -> bool:
    """Whether somebody waits for a row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        [waiting] = cursor.fetchone()
    return waiting > 0
