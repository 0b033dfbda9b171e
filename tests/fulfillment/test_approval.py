"""Above the limit of a role a refund needs a second person."""

from decimal import Decimal

import pytest

from fulfillment import actions, amounts, tasks, timeline
from fulfillment.models import Action
from merchant.access import Right, roles_with
from merchant.models import AuditEvent, Merchant, RefundRules
from tests.conftest import Person, person
from tests.fulfillment.approvals import approve, limit
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order, settled
from transactions.models import Transaction

State = Action.State


# When ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "state"),
    [("10.00", "awaiting_approval"), ("11.00", "awaiting_approval"), ("30.00", "requested")],
)
def test_only_above_the_limit_a_second_person_is_needed(
    ben: Person, lantern: Merchant, desk: Desk, amount: str, state: str
) -> None:
    order = mirrored_order(lantern, desk, currency="EUR", amount=20)
    limit(lantern, Decimal(amount))
    action = ask(order, ben)
    assert action.state == fresh(order).refund_state == state
    assert action.needs_approval == (state == "awaiting_approval")


def test_the_limit_itself_is_allowed(ben: Person, lantern: Merchant, order: Transaction) -> None:
    limit(lantern, order.charge_amount, currency=order.charge_currency)
    assert ask(order, ben).state == State.REQUESTED


def test_a_limit_counts_for_its_role_alone(ann: Person, ben: Person, lantern: Merchant, desk: Desk) -> None:
    limit(lantern, 0)
    assert ask(mirrored_order(lantern, desk), ann).state == State.REQUESTED
    assert ask(mirrored_order(lantern, desk), ben).state == State.AWAITING_APPROVAL


def test_every_role_that_may_refund_has_a_limit_of_its_own() -> None:
    for role in roles_with(Right.REFUND):
        assert RefundRules(**{f"limit_{role}": 1}).limit_of(role) == 1
    assert RefundRules().limit_of("view_only") is None


@pytest.mark.parametrize(("currency", "needed"), [("USD", False), ("JPY", True), ("GBP", True)])
def test_another_currency_is_compared_by_paysupers_own_conversion_and_else_not_at_all(
    ben: Person, lantern: Merchant, desk: Desk, currency: str, needed: bool
) -> None:
    order = mirrored_order(lantern, desk, currency="EUR", amount=20)
    assert order.payout_currency == "USD"
    limit(lantern, 1000, currency=currency)
    assert (ask(order, ben).state == State.AWAITING_APPROVAL) is needed


def test_the_conversion_is_that_of_the_payment(order: Transaction) -> None:
    order.charge_amount, order.charge_currency = Decimal(20), "EUR"
    order.gross_amount, order.payout_currency = Decimal("23.20"), "USD"
    assert amounts.in_currency(order, Decimal(20), "USD") == Decimal("23.20")
    assert amounts.in_currency(order, Decimal(5), "USD") == Decimal("5.80")
    assert amounts.in_currency(order, Decimal(5), "EUR") == 5
    assert amounts.in_currency(order, Decimal(5), "CHF") is None
    order.gross_amount = Decimal(0)
    assert amounts.in_currency(order, Decimal(5), "USD") is None


# Waiting ------------------------------------------------------------------------------------------


def test_what_waits_is_not_sent_by_any_bell_and_blocks_a_second_request(
    ann: Person, desk: Desk, waiting: Action
) -> None:
    for _ in range(3):
        tasks.run_action(waiting.pk)
        tasks.settle_action(waiting.pk)
    assert actions.due() == []
    assert fresh(waiting).state == State.AWAITING_APPROVAL
    assert desk.posts(waiting.transaction_id) == 0
    with pytest.raises(actions.Blocked, match="under way"):
        ask(waiting.transaction, ann)


def test_whoever_asked_may_take_it_back(ben: Person, waiting: Action) -> None:
    actions.undo(waiting, ben.membership)
    assert fresh(waiting).state == State.UNDONE


# Deciding -----------------------------------------------------------------------------------------


def test_an_approved_refund_is_sent_when_the_time_for_undoing_has_passed_from_then(
    ann: Person, desk: Desk, waiting: Action, lantern: Merchant
) -> None:
    RefundRules.objects.update(undo_seconds=60)
    approve(waiting, ann, "checked with them")
    action = fresh(waiting)
    assert (action.state, action.decided_by) == (State.REQUESTED, ann.membership.user)
    assert 55 < (action.send_at - action.decided_at).total_seconds() < 61
    tasks.run_action(action.pk)
    assert desk.posts(action.transaction_id) == 0
    Action.objects.filter(pk=action.pk).update(send_at=action.decided_at)
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)
    assert desk.completed(action.transaction_id) == 1


def test_a_refund_approved_long_after_it_was_asked_for_is_not_given_up_at_the_first_trouble(
    ann: Person, desk: Desk, waiting: Action
) -> None:
    Action.objects.update(requested_at="2020-01-01T00:00Z")
    approve(waiting, ann)
    desk.refuse(401, "")
    tasks.run_action(waiting.pk)
    assert fresh(waiting).state == State.REQUESTED


def test_a_rejected_refund_ends_and_may_be_asked_for_again(ann: Person, desk: Desk, waiting: Action) -> None:
    actions.reject(waiting, ann.membership, note="too late for that")
    action = fresh(waiting)
    assert (action.state, action.decision_note) == (State.NOT_APPROVED, "too late for that")
    assert fresh(action.transaction).refund_state == "not_approved"
    tasks.run_action(action.pk)
    assert desk.posts(action.transaction_id) == 0
    assert ask(fresh(action.transaction), ann).state == State.REQUESTED


def test_both_decisions_stand_in_audit_and_timeline_with_who_and_why(
    ann: Person, ben: Person, waiting: Action, lantern: Merchant, desk: Desk
) -> None:
    approve(waiting, ann, "checked with them")
    another = ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben)
    actions.reject(another, ann.membership, note="no")
    lines = AuditEvent.objects.filter(event__in=["refund.approved", "refund.not_approved"]).order_by("pk")
    assert [(line.event, line.user, line.data["note"]) for line in lines] == [
        ("refund.approved", ann.membership.user, "checked with them"),
        ("refund.not_approved", ann.membership.user, "no"),
    ]
    told = {event.title: event for event in timeline.events(waiting.transaction)}
    assert (told["Refund approved"].who, told["Refund approved"].detail) == (
        str(ann.membership.user),
        "checked with them",
    )
    assert "Refund not approved" in {event.title for event in timeline.events(another.transaction)}


@pytest.mark.parametrize("note", ["", "  "])
def test_a_rejection_needs_its_reason(ann: Person, waiting: Action, note: str) -> None:
    with pytest.raises(actions.Blocked, match="Say why"):
        actions.reject(waiting, ann.membership, note=note)
    assert fresh(waiting).state == State.AWAITING_APPROVAL


def test_nobody_decides_their_own_request(dan: Person, lantern: Merchant, desk: Desk) -> None:
    limit(lantern, 0, "developer")
    action = ask(mirrored_order(lantern, desk), dan)
    for decide in (
        lambda: approve(action, dan),
        lambda: actions.reject(action, dan.membership, note="no"),
    ):
        with pytest.raises(actions.Blocked, match="yourself"):
            decide()
    assert fresh(action).state == State.AWAITING_APPROVAL


@pytest.mark.parametrize("role", ["support", "accounting", "view_only"])
def test_only_owners_and_developers_decide(lantern: Merchant, waiting: Action, role: str) -> None:
    with pytest.raises(actions.Blocked, match="role"):
        approve(waiting, person(lantern, "eve", role))


def test_what_has_been_decided_is_not_decided_again(ann: Person, dan: Person, waiting: Action) -> None:
    approve(waiting, ann)
    with pytest.raises(actions.Blocked, match="no longer waits"):
        actions.reject(waiting, dan.membership, note="no")
    with pytest.raises(actions.Blocked, match="no longer waits"):
        approve(waiting, dan)


def test_an_order_that_was_charged_back_meanwhile_is_not_approved(ann: Person, waiting: Action) -> None:
    Transaction.objects.filter(pk=waiting.transaction_id).update(status="chargeback")
    with pytest.raises(actions.Blocked, match="charged back"):
        approve(waiting, ann)
    assert fresh(waiting).state == State.AWAITING_APPROVAL


@pytest.mark.parametrize("change", [{"charge_amount": Decimal(25)}, {"charge_currency": "GBP"}])
def test_an_amount_that_changed_since_it_was_asked_for_is_not_approved(
    ann: Person, waiting: Action, change: dict[str, object]
) -> None:
    Transaction.objects.filter(pk=waiting.transaction_id).update(**change)
    with pytest.raises(actions.Changed):
        approve(waiting, ann)
    assert fresh(waiting).state == State.AWAITING_APPROVAL


def test_another_amount_than_the_one_seen_is_not_approved(ann: Person, waiting: Action) -> None:
    with pytest.raises(actions.Changed):
        actions.approve(waiting, ann.membership, note="", seen=(Decimal(1), "EUR"))
