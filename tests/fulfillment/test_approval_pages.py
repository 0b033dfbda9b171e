"""The second person decides about a large refund in the browser."""

import pytest

from fulfillment.models import Action
from merchant.models import Merchant
from tests.conftest import Person, signed_in
from tests.fulfillment.approvals import limit
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order
from tests.fulfillment.refunding import form

State = Action.State


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
