"""A refund: asked for once, sent once, and refunded only when PaySuper says so."""

import threading
from decimal import Decimal

import pytest
from django.db import connection

from fulfillment import actions, rules
from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.models import Membership, Merchant
from tests.conftest import Person, person
from tests.fulfillment.desk import (
    Desk,
    ask,
    fresh,
    mirrored_order,
    sent,
    settle,
    settled,
)
from tests.fulfillment.refunding import State, refund_row
from transactions import sync
from transactions.models import Transaction

ROW = {
    "type": "order",
    "status": "processed",
    "refund_state": "",
    "method": "BANKCARD",
    "charge_amount": Decimal("9.99"),
}
UNDER_WAY = ["awaiting_approval", "requested", "sending", "accepted", "unknown", "needs_person"]


# The way of a refund ------------------------------------------------------------------------------


def test_a_request_is_only_a_row_until_the_worker_comes(ann: Person, desk: Desk, order: Transaction) -> None:
    action = ask(order, ann, note="told us by mail")
    assert (action.state, action.amount, action.currency) == (
        State.REQUESTED,
        order.charge_amount,
        order.charge_currency,
    )
    assert (action.requested_by, action.reason, action.note) == (
        ann.membership.user,
        REASONS[0],
        "told us by mail",
    )
    assert fresh(order).refund_state == State.REQUESTED
    assert desk.posts(order.pk) == 0


def test_a_refund_walks_from_request_to_refunded_and_its_row_arrives_in_the_mirror(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    action = sent(order, ann)
    assert (action.state, action.attempts) == (State.ACCEPTED, 1)
    action = settled(action, State.REFUNDED)
    booked = desk.refunds(order.pk)
    assert [each["id"] for each in booked] == [action.paysuper_refund_id]
    assert f"[{action.reference}]" in booked[0]["reason"]
    assert desk.posts(order.pk) == desk.completed(order.pk) == 1
    assert (fresh(order).status, fresh(order).refund_state) == ("refunded", "refunded")
    row = refund_row(lantern, order)
    assert (row.type, row.status, row.charge_amount) == ("refund", "refunded", order.charge_amount)


def test_nothing_is_called_refunded_before_paysuper_says_so(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    for _ in range(3):
        action = settle(action)
        assert (action.state, fresh(order).refund_state) == (State.ACCEPTED, State.ACCEPTED)
        assert fresh(order).status == "processed"


def test_the_charge_currency_is_given_back_whatever_the_order_was_priced_in(
    ann: Person, desk: Desk, lantern: Merchant
) -> None:
    order = mirrored_order(lantern, desk, currency="JPY", amount=1200)
    action = settled(sent(order, ann), State.REFUNDED)
    booked = desk.refunds(order.pk)[0]
    assert (action.amount, action.currency) == (Decimal(str(booked["amount"])), booked["currency"])


def test_a_finished_refund_is_left_alone_by_every_later_bell(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    action = settled(sent(order, ann), State.REFUNDED)
    before = fresh(action)
    actions.run(fresh(action))
    actions.settle(fresh(action))
    assert fresh(action).changed_at == before.changed_at
    assert desk.posts(order.pk) == 1


def test_looks_come_less_often_and_stop_when_the_refund_is_settled(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_2", count=1)
    action = sent(order, ann)
    pauses = []
    for _ in range(9):
        action = settle(action)
        pauses.append(round((action.look_at - action.changed_at).total_seconds()))
    assert pauses == [8, 16, 32, 64, 128, 256, 300, 300, 300]


# Who and when -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"type": "refund"}, "refund itself"),
        ({"status": "created"}, "Only processed"),
        ({"status": "pending"}, "Only processed"),
        ({"status": "rejected"}, "Only processed"),
        ({"status": "canceled"}, "Only processed"),
        ({"status": "invented later"}, "Only processed"),
        ({"status": "refunded"}, "has been refunded"),
        ({"status": "chargeback"}, "charged back"),
        ({"method": "QIWI"}, "bank cards only"),
        ({"method": ""}, "bank cards only"),
        ({"charge_amount": Decimal(0)}, "Nothing was charged"),
        ({"charge_amount": Decimal(-1)}, "Nothing was charged"),
        *[({"refund_state": state}, "already under way") for state in UNDER_WAY],
        *[({"refund_state": state}, "") for state in ("refused", "declined")],
    ],
)
def test_a_refund_is_blocked_with_its_reason(change: dict[str, object], words: str) -> None:
    blocker = rules.refund_blocker(ROW | change, Membership(role="owner"))
    assert words in blocker
    assert bool(blocker) == bool(words)


def test_every_open_state_of_an_action_blocks_a_second_refund() -> None:
    assert set(Action.OPEN) == rules.REFUND_UNDER_WAY == set(UNDER_WAY)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("owner", True),
        ("developer", True),
        ("support", True),
        ("accounting", False),
        ("view_only", False),
        ("unheard of", False),
    ],
)
def test_only_some_roles_may_refund(role: str, may: bool) -> None:
    assert (rules.refund_blocker(ROW, Membership(role=role)) == "") is may


def test_the_request_checks_the_order_itself_and_not_what_the_page_knew(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    desk.charge_back(order.pk)
    sync.refresh(lantern, order.pk)
    assert order.status == "processed"  # what an old page knows
    with pytest.raises(actions.Blocked, match="charged back"):
        ask(order, ann)
    assert not Action.objects.exists()
    assert fresh(order).refund_state == ""


def test_a_role_without_the_right_is_blocked_by_the_action_too(lantern: Merchant, order: Transaction) -> None:
    with pytest.raises(actions.Blocked, match="role"):
        ask(order, person(lantern, "abe", "accounting"))
    assert not Action.objects.exists()


@pytest.mark.parametrize(("more", "currency"), [(Decimal("0.01"), None), (Decimal(0), "XTS")])
def test_a_request_for_another_amount_than_the_charge_is_blocked(
    ann: Person, order: Transaction, more: Decimal, currency: str | None
) -> None:
    seen = (order.charge_amount + more, currency or order.charge_currency)
    with pytest.raises(actions.Blocked, match="Look again"):
        actions.request_refund(order, ann.membership, reason=REASONS[0], note="", seen=seen)
    assert not Action.objects.exists()
    assert fresh(order).refund_state == ""


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_at_once_one_becomes_an_action(ann: Person, ben: Person, order: Transaction) -> None:
    start, results = threading.Barrier(2), []

    def request(who: Person) -> None:
        start.wait()
        try:
            results.append(ask(order, who).state)
        except actions.Blocked as blocked:
            results.append(str(blocked))
        finally:
            connection.close()

    threads = [threading.Thread(target=request, args=(who,)) for who in (ann, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["A refund of this order is already under way.", "requested"]
    assert Action.objects.count() == 1


def test_the_database_itself_refuses_a_second_open_refund(ann: Person, order: Transaction) -> None:
    ask(order, ann)
    Transaction.objects.filter(pk=order.pk).update(refund_state="")  # as if the column had been forgotten
    with pytest.raises(actions.Blocked, match="already under way"):
        ask(order, ann)
    assert Action.objects.count() == 1
    assert fresh(order).refund_state == ""
