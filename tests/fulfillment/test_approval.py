"""Above the limit of a role a refund needs a second person, and the database sees to it that it is one."""

import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from fulfillment import actions, amounts, tasks, timeline
from fulfillment.models import Action
from merchant.access import Right, roles_with
from merchant.models import AuditEvent, Merchant, RefundRules
from tests.conftest import Person, person, signed_in
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order, settled
from tests.fulfillment.refunding import form
from transactions.models import Transaction

State = Action.State


@pytest.fixture
def dan(lantern: Merchant) -> Person:
    """The developer of Lantern Works."""
    return person(lantern, "dan", "developer")


def limit(merchant: Merchant, amount: object, role: str = "support", currency: str = "EUR") -> None:
    values = {f"limit_{role}": amount, "limit_currency": currency}
    RefundRules.objects.filter(merchant=merchant).update(**values)


@pytest.fixture
def waiting(ben: Person, lantern: Merchant, desk: Desk) -> Action:
    """A refund of €20 that Ben asked for, whose limit is €10."""
    limit(lantern, 10)
    return ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben, note="told by phone")


def seen(action: Action) -> tuple[Decimal, str]:
    return action.amount, action.currency


def approve(action: Action, who: Person, note: str = "") -> None:
    actions.approve(fresh(action), who.membership, note=note, seen=seen(action))


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


# The database itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["awaiting_approval", "requested", "not_approved"])
def test_the_database_refuses_a_requester_as_the_second_person(waiting: Action, state: str) -> None:
    with (
        pytest.raises(IntegrityError, match="decided_by_another_person"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE fulfillment_action SET decided_by_id = requested_by_id, state = %s WHERE id = %s",
            [state, waiting.pk],
        )


@pytest.mark.parametrize("state", sorted(set(State.values) - {"awaiting_approval", "undone"}))
def test_the_database_lets_nothing_on_that_waits_for_its_approval(waiting: Action, state: str) -> None:
    with (
        pytest.raises(IntegrityError, match="nothing_sent_without_its_approval"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE fulfillment_action SET state = %s WHERE id = %s", [state, waiting.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", ["approve", "reject", "undo"])
def test_of_two_people_who_decide_at_once_one_decides(
    ann: Person, ben: Person, dan: Person, lantern: Merchant, desk: Desk, second: str
) -> None:
    limit(lantern, 10)
    for _ in range(10):
        action = ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben)
        acts = {
            "approve": lambda action=action: approve(action, dan),
            "reject": lambda action=action: actions.reject(action, dan.membership, note="no"),
            "undo": lambda action=action: actions.undo(action, ben.membership),
        }
        won = at_once([lambda action=action: approve(action, ann), acts[second]])
        # An approved refund that has not left may still be taken back.
        assert won == 1 or (second == "undo" and fresh(action).state == State.UNDONE)
        lines = AuditEvent.objects.filter(event="refund.approved", data__action=action.pk)
        assert lines.count() <= 1


def at_once(acts: list) -> int:
    """How many of these acts, begun together, were let through."""
    start, done, failures = threading.Barrier(len(acts)), [], []

    def act(each) -> None:
        start.wait()
        try:
            each()
            done.append(each)
        except actions.Blocked:
            pass
        except Exception as error:  # noqa: BLE001 - shown by the test, whatever it is
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(each,)) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return len(done)


# Through the browser ------------------------------------------------------------------------------


def decision(action: Action, **changes: object) -> dict[str, object]:
    return {
        "decision": "approve",
        "note": "",
        "seen_amount": action.amount,
        "seen_currency": action.currency,
    } | changes


def test_the_request_says_that_it_waits_and_the_card_leads_to_the_decision(
    ann: Person, ben: Person, lantern: Merchant, desk: Desk
) -> None:
    limit(lantern, 10)
    order = mirrored_order(lantern, desk, currency="EUR", amount=20)
    ben.browser.post(f"/transactions/{order.pk}/refund/", form(order))
    page = ben.browser.get(f"/transactions/{order.pk}/").content.decode()
    assert "waits for the approval of a second person: an owner or a developer" in page
    action = Action.objects.get()
    assert f"/actions/{action.pk}/decide/" not in page
    card = ann.browser.get(f"/transactions/{order.pk}/").content.decode()
    assert f'href="/actions/{action.pk}/decide/"' in card


def test_the_decision_shows_what_is_decided(ann: Person, waiting: Action) -> None:
    page = ann.browser.get(f"/actions/{waiting.pk}/decide/").content.decode()
    for part in ("€20.00", "ben@example.com", "told by phone", "Customer&#x27;s request", "Turn down"):
        assert part in page


def test_approving_by_browser_goes_to_the_card(ann: Person, waiting: Action) -> None:
    answer = ann.browser.post(f"/actions/{waiting.pk}/decide/", decision(waiting, note="fine"))
    assert answer["Location"] == f"/transactions/{waiting.transaction_id}/"
    assert fresh(waiting).state == State.REQUESTED


def test_rejecting_by_browser_needs_a_note(ann: Person, waiting: Action) -> None:
    address = f"/actions/{waiting.pk}/decide/"
    ann.browser.post(address, decision(waiting, decision="reject"))
    assert fresh(waiting).state == State.AWAITING_APPROVAL
    ann.browser.post(address, decision(waiting, decision="reject", note="no"))
    assert fresh(waiting).state == State.NOT_APPROVED


@pytest.mark.parametrize(
    "changes", [{"decision": ""}, {"decision": "perhaps"}, {"seen_amount": "1e99"}, {"note": "a\0b"}]
)
def test_a_decision_that_cannot_be_read_decides_nothing(
    ann: Person, waiting: Action, changes: dict[str, object]
) -> None:
    answer = ann.browser.post(f"/actions/{waiting.pk}/decide/", decision(waiting, **changes))
    assert answer.status_code == 200
    assert fresh(waiting).state == State.AWAITING_APPROVAL


def test_the_requester_sees_why_somebody_else_must_decide(dan: Person, lantern: Merchant, desk: Desk) -> None:
    limit(lantern, 0, "developer")
    action = ask(mirrored_order(lantern, desk), dan)
    page = dan.browser.get(f"/actions/{action.pk}/decide/").content.decode()
    assert "somebody else must decide" in page
    assert "Approve €" not in page
    dan.browser.post(f"/actions/{action.pk}/decide/", decision(action))
    assert fresh(action).state == State.AWAITING_APPROVAL


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_old_session_gives_its_password_before_it_approves_and_the_note_is_kept(
    ann: Person, waiting: Action, headers: dict[str, str]
) -> None:
    browser, way = signed_in(ann.membership.user, minutes_ago=31), f"/actions/{waiting.pk}/decide/"
    answer = browser.post(way, decision(waiting, note="checked with them"), headers=headers)
    asked = answer.headers.get("HX-Redirect") or answer["Location"]
    assert asked.startswith("/accounts/reauthenticate/?next=")
    assert fresh(waiting).state == State.AWAITING_APPROVAL
    browser.post("/accounts/reauthenticate/", {"password": "correct-horse-battery", "next": way})
    assert "checked with them" in browser.get(way).content.decode()
    browser.post(way, decision(waiting, note="checked with them"))
    assert fresh(waiting).state == State.REQUESTED
