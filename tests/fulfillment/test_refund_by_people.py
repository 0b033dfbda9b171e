"""What people do about refunds: close them, read how they went, and ask for them on the pages."""

import re

import pytest

from fulfillment import actions, timeline
from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.fulfillment.desk import (
    Desk,
    ask,
    fresh,
    sent,
    settled,
)
from tests.fulfillment.refunding import State, form, needs_person, refund_row
from transactions.models import Transaction

# A person decides ---------------------------------------------------------------------------------


def test_a_person_closes_a_refund_that_never_happened_and_asks_again(
    ann: Person, ben: Person, desk: Desk, order: Transaction
) -> None:
    action = needs_person(order, ann, desk)
    assert action.state == State.NEEDS_PERSON
    with pytest.raises(actions.Blocked, match="under way"):
        ask(order, ann)
    actions.close(action, ben.membership, "their hotline says no")
    action = fresh(action)
    assert (action.state, fresh(order).refund_state) == (State.REFUSED, State.REFUSED)
    assert "their hotline says no" in action.outcome
    assert str(ben.membership.user) in action.outcome
    assert settled(sent(fresh(order), ann), State.REFUNDED)
    assert desk.completed(order.pk) == 1


def test_closing_too_early_cannot_cause_a_second_refund(ann: Person, desk: Desk, order: Transaction) -> None:
    desk.fault("lost_answer")
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    Action.objects.filter(pk=action.pk).update(state=State.NEEDS_PERSON)
    actions.close(fresh(action), ann.membership, "their hotline says no")
    second = sent(fresh(order), ann)
    assert second.state == State.REFUSED
    assert desk.posts(order.pk) == len(desk.refunds(order.pk)) == 1


@pytest.mark.parametrize("state", ["requested", "sending", "accepted", "unknown", "refunded", "declined"])
def test_only_what_needs_a_person_can_be_closed(ann: Person, order: Transaction, state: str) -> None:
    action = ask(order, ann)
    Action.objects.filter(pk=action.pk).update(state=state)
    with pytest.raises(actions.Blocked, match="no longer waits"):
        actions.close(action, ann.membership, "their hotline says no")
    assert fresh(action).state == state
    assert not AuditEvent.objects.filter(event="refund.closed").exists()


def test_a_person_with_a_long_name_can_close_with_a_long_note(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    action = needs_person(order, ann, desk)
    ann.membership.user.first_name = ann.membership.user.last_name = "N" * 150
    ann.membership.user.save()
    actions.close(action, ann.membership, "x" * 200)
    assert fresh(action).state == State.REFUSED


# What is written down -----------------------------------------------------------------------------


def test_every_step_is_in_the_audit_with_who_did_it(ann: Person, desk: Desk, order: Transaction) -> None:
    settled(sent(order, ann), State.REFUNDED)
    lines = AuditEvent.objects.filter(subject=str(order.pk)).order_by("pk")
    assert [(line.event, line.user) for line in lines] == [
        ("refund.requested", ann.membership.user),
        ("refund.sending", None),
        ("refund.accepted", None),
        ("refund.refunded", None),
    ]
    assert lines[0].data["reason"] == REASONS[0]
    assert {line.merchant_id for line in lines} == {ann.membership.merchant_id}


def test_closing_is_in_the_audit_under_the_persons_name(
    ann: Person, ben: Person, desk: Desk, order: Transaction
) -> None:
    actions.close(needs_person(order, ann, desk), ben.membership, "no")
    line = AuditEvent.objects.get(event="refund.closed")
    assert (line.user, line.data) == (ben.membership.user, {"note": "no"})


def test_the_timeline_tells_the_story_newest_first(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    settled(sent(order, ann), State.REFUNDED)
    refund_row(lantern, order)
    events = timeline.events(fresh(order))
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    titles = [event.title for event in events]
    assert titles.index("Refund requested") < titles.index("Paid") < titles.index("Order created")
    assert {"Refund: Refunded", "Refunded"} <= set(titles)
    request = next(event for event in events if event.title == "Refund requested")
    assert (request.who, request.detail) == (str(ann.membership.user), REASONS[0])


# Through the browser ------------------------------------------------------------------------------


def test_a_posted_form_asks_for_the_refund_and_goes_back_to_the_card(ben: Person, order: Transaction) -> None:
    answer = ben.browser.post(f"/transactions/{order.pk}/refund/", form(order))
    assert (answer.status_code, answer["Location"]) == (302, f"/transactions/{order.pk}/")
    assert Action.objects.get().requested_by == ben.membership.user


def test_htmx_is_sent_to_the_card_too(ben: Person, order: Transaction) -> None:
    answer = ben.browser.post(
        f"/transactions/{order.pk}/refund/", form(order), headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"/transactions/{order.pk}/")
    assert Action.objects.count() == 1


def test_a_double_click_asks_once(ben: Person, order: Transaction) -> None:
    for _ in range(2):
        assert ben.browser.post(f"/transactions/{order.pk}/refund/", form(order)).status_code == 302
    assert Action.objects.count() == 1


def test_a_changed_amount_is_not_refunded(ben: Person, order: Transaction) -> None:
    changed = form(order, seen_amount=order.charge_amount - 1)
    answer = ben.browser.post(f"/transactions/{order.pk}/refund/", changed)
    assert answer.status_code == 200
    assert "The amount has changed" in answer.content.decode()
    assert not Action.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"reason": "because"},
        {"seen_amount": "NaN"},
        {"seen_amount": "1e99"},
        {"seen_amount": ""},
        {"seen_currency": ""},
        {"note": "x" * 501},
        {"note": "a\0b"},
    ],
)
def test_a_form_that_cannot_be_used_asks_for_nothing(
    ben: Person, order: Transaction, changes: dict[str, object]
) -> None:
    answer = ben.browser.post(f"/transactions/{order.pk}/refund/", form(order, **changes))
    assert answer.status_code == 200
    assert not Action.objects.exists()


def test_looking_at_the_form_asks_for_nothing_and_shows_what_will_be_given_back(
    ben: Person, order: Transaction
) -> None:
    page = ben.browser.get(f"/transactions/{order.pk}/refund/").content.decode()
    assert re.search(rf'name="seen_amount"[^>]*value="{order.charge_amount}"', page)
    assert not Action.objects.exists()


def test_a_colleague_without_the_right_is_turned_away(vera: Person, order: Transaction) -> None:
    for answer in (
        vera.browser.get(f"/transactions/{order.pk}/refund/"),
        vera.browser.post(f"/transactions/{order.pk}/refund/", form(order)),
    ):
        assert answer.status_code == 403
    assert not Action.objects.exists()


def test_a_stranger_finds_no_such_order(cleo: Person, order: Transaction) -> None:
    for answer in (
        cleo.browser.get(f"/transactions/{order.pk}/refund/"),
        cleo.browser.post(f"/transactions/{order.pk}/refund/", form(order)),
        cleo.browser.get(f"/transactions/{order.pk}/state/"),
    ):
        assert answer.status_code == 404
    assert not Action.objects.exists()


def test_closing_by_browser_belongs_to_the_merchant_and_to_those_who_may_refund(
    ann: Person, ben: Person, vera: Person, cleo: Person, desk: Desk, order: Transaction
) -> None:
    action = needs_person(order, ann, desk)
    address = f"/actions/{action.pk}/close/"
    assert cleo.browser.post(address).status_code == 404
    assert vera.browser.post(address).status_code == 403
    assert ben.browser.get(address).status_code == 405
    assert fresh(action).state == State.NEEDS_PERSON
    answer = ben.browser.post(address, {"note": "asked\0 them"})
    assert (answer.status_code, answer["Location"]) == (302, f"/transactions/{order.pk}/")
    assert fresh(action).state == State.REFUSED


def test_closing_twice_is_told_and_changes_nothing(ann: Person, desk: Desk, order: Transaction) -> None:
    action = needs_person(order, ann, desk)
    for _ in range(2):
        assert (
            ann.browser.post(f"/actions/{action.pk}/close/", {"note": "their hotline says no"}).status_code
            == 302
        )
    assert AuditEvent.objects.filter(event="refund.closed").count() == 1


def test_a_refund_row_cannot_be_refunded(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    settled(sent(order, ann), State.REFUNDED)
    row = refund_row(lantern, order)
    with pytest.raises(actions.Blocked, match="refund itself"):
        ask(row, ann)
    with pytest.raises(actions.Blocked, match="has been refunded"):
        ask(fresh(order), ann)


@pytest.mark.parametrize("nothing", ["", "   "])
def test_closing_needs_a_word_on_how_one_knows(
    order: Transaction, ann: Person, desk: Desk, nothing: str
) -> None:
    action = needs_person(order, ann, desk)
    with pytest.raises(actions.Blocked, match="how you know"):
        actions.close(action, ann.membership, nothing)
    assert fresh(action).state == State.NEEDS_PERSON
