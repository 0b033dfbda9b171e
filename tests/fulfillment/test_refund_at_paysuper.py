"""What PaySuper answers to a refund: no, nothing, or that somebody else was first."""

import pytest

from fulfillment import actions
from fulfillment.models import Action
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import (
    Desk,
    ask,
    earlier,
    fresh,
    mirrored_order,
    sent,
    settle,
    settled,
)
from tests.fulfillment.refunding import State
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

EMPTY = '{"count":0,"items":null}'


# PaySuper says no ---------------------------------------------------------------------------------


def test_an_order_whose_key_was_replaced_is_refused_with_words(
    ann: Person, desk: Desk, lantern: Merchant
) -> None:
    order = mirrored_order(lantern, desk, kind="key")
    desk.replace_key(order.pk)
    action = sent(order, ann)
    assert (action.state, fresh(order).refund_state) == (State.REFUSED, State.REFUSED)
    assert "status does not allow" in action.outcome


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "rf000002", "status does not allow"),
        (400, "rf000003", "already refunded"),
        (404, "rf000005", "does not know this order"),
        (400, "rf000007", "tariff"),
        (400, "ma000002", "400 ma000002"),
        (400, "ma000023", "400 ma000023"),
    ],
)
def test_a_final_refusal_ends_the_refund_and_it_may_be_asked_for_again(
    ann: Person, desk: Desk, order: Transaction, status: int, code: str, words: str
) -> None:
    desk.refuse(status, f'{{"code":"{code}","message":"no"}}')
    action = sent(order, ann)
    assert (action.state, fresh(order).refund_state) == (State.REFUSED, State.REFUSED)
    assert words in action.outcome
    assert settled(sent(fresh(order), ann), State.REFUNDED)
    assert desk.completed(order.pk) == 1


def test_a_refusal_with_an_endless_code_still_ends_the_refund(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.refuse(400, f'{{"code":"{"x" * 1000}","message":"no"}}')
    assert sent(order, ann).state == State.REFUSED


def test_a_refusal_by_the_payment_system_is_looked_up_before_it_is_final(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("refused", count=1)
    action = sent(order, ann)
    assert action.state == State.UNKNOWN
    action = settle(action)
    assert (action.state, action.outcome) == (State.REFUSED, "The payment system refused the refund.")
    assert settled(sent(fresh(order), ann), State.REFUNDED)


@pytest.mark.parametrize("outcome", ["declined", "canceled"])
def test_a_refund_that_fails_later_without_a_word_is_found_by_looking(
    ann: Person, desk: Desk, order: Transaction, outcome: str
) -> None:
    desk.plan(outcome, count=1)
    action = settled(sent(order, ann), State.DECLINED)
    assert "declined" in action.outcome
    assert (fresh(order).status, fresh(order).refund_state) == ("processed", "declined")
    assert settled(sent(fresh(order), ann), State.REFUNDED)
    assert desk.completed(order.pk) == 1


# PaySuper says nothing ----------------------------------------------------------------------------


def test_a_refund_stuck_at_0_is_unknown_and_then_needs_a_person(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_0")
    action = settle(sent(order, ann))
    assert action.state == State.UNKNOWN
    assert "not passed it on" in action.outcome
    action = settle(earlier(action, minutes=11))
    assert action.state == State.NEEDS_PERSON
    assert "status 0" in action.outcome
    assert desk.refunds(order.pk)[0]["id"] in action.outcome
    assert desk.posts(order.pk) == 1


def test_a_refund_stuck_at_2_needs_a_person_after_a_week(ann: Person, desk: Desk, order: Transaction) -> None:
    desk.plan("stuck_at_2")
    action = settle(earlier(sent(order, ann), days=6))
    assert action.state == State.ACCEPTED
    action = settle(earlier(action, days=8))
    assert (action.state, fresh(order).refund_state) == (State.NEEDS_PERSON, State.NEEDS_PERSON)
    assert "status 2" in action.outcome


def test_an_unheard_of_refund_status_needs_a_person_and_breaks_nothing(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    strange = f'{{"count":1,"items":[{{"id":"{action.paysuper_refund_id}","status":77}}]}}'
    desk.refuse(200, strange, method="GET")
    assert settle(action).state == State.NEEDS_PERSON


def test_an_accepted_refund_that_is_missing_in_the_list_is_not_given_up(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    # Storage trouble at PaySuper looks like an empty list (contract §7.6): no proof of anything.
    desk.plan("stuck_at_2")
    action = earlier(sent(order, ann), minutes=30)
    desk.refuse(200, EMPTY, method="GET")
    assert settle(action).state == State.ACCEPTED
    desk.refuse(200, EMPTY, method="GET")
    assert settle(earlier(action, days=8)).state == State.NEEDS_PERSON


def test_a_refunded_order_with_an_empty_list_is_not_called_somebody_elses_refund(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.fault("lost_answer")
    action = sent(order, ann)
    eventually(lambda: desk.completed(order.pk))
    desk.refuse(200, EMPTY, method="GET")
    assert settle(action).state == State.UNKNOWN
    assert settle(action).state == State.REFUNDED


def test_what_needs_a_person_is_still_looked_after(ann: Person, desk: Desk, order: Transaction) -> None:
    action = sent(order, ann)
    Action.objects.filter(pk=action.pk).update(state=State.NEEDS_PERSON)
    assert settled(action, State.REFUNDED)
    assert fresh(order).refund_state == "refunded"


# Others refund too --------------------------------------------------------------------------------


def test_another_partys_earlier_refund_ends_ours_before_anything_is_sent(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_2")
    desk.refund_elsewhere(order.pk)
    action = sent(order, ann)
    assert (action.state, action.sent_at) == (State.REFUSED, None)
    assert "another refund" in action.outcome
    assert desk.posts(order.pk) == len(desk.refunds(order.pk)) == 1


def test_another_partys_refused_refund_is_no_obstacle(ann: Person, desk: Desk, order: Transaction) -> None:
    desk.plan("declined", count=1)
    desk.refund_elsewhere(order.pk)
    eventually(lambda: desk.refunds(order.pk)[0]["status"] == 4)
    assert settled(sent(order, ann), State.REFUNDED)
    assert desk.completed(order.pk) == 1


def test_another_partys_refund_in_the_same_moment_is_met_by_the_server_and_awaited(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.refund_elsewhere(order.pk)
    desk.refuse(200, EMPTY, method="GET")  # not yet in the list when we look
    desk.refuse(400, '{"code":"rf000004","message":"no"}')
    action = sent(order, ann)
    assert (action.state, action.paysuper_refund_id) == (State.UNKNOWN, "")
    action = settled(action, State.REFUSED)
    assert action.outcome == "The order was refunded by another request."
    assert desk.completed(order.pk) == 1


def test_our_own_earlier_refund_is_adopted_even_behind_another_partys(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.fault("no_race_guard", count=None, seconds=0)
    desk.plan("stuck_at_2")
    action = ask(order, ann)
    desk.refund_elsewhere(order.pk)
    path = f"/admin/api/v1/order/{order.pk}/refunds"
    ours = desk.api.post(
        path, json={"amount": 1, "reason": f"Customer's request [{action.reference}]"}
    ).json()
    actions.run(fresh(action))
    assert (fresh(action).state, fresh(action).paysuper_refund_id) == (State.ACCEPTED, ours["id"])
    assert desk.posts(order.pk) == 2
