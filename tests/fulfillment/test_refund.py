"""A refund: asked for once, sent once, and refunded only when PaySuper says so."""

import datetime as dt
import re
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from fulfillment import actions, rules, timeline
from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.models import AuditEvent, Membership, Merchant
from tests.conftest import Person, person
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
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction

State = Action.State
ROW = {
    "type": "order",
    "status": "processed",
    "refund_state": "",
    "method": "BANKCARD",
    "charge_amount": Decimal("9.99"),
}
EMPTY = '{"count":0,"items":null}'
UNDER_WAY = ["awaiting_approval", "requested", "sending", "accepted", "unknown", "needs_person"]


def refund_row(merchant: Merchant, order: Transaction) -> Transaction:
    """The row that PaySuper adds for a refund. A sync asks for whole seconds: this one is for the next."""
    sync.sync(merchant, until=timezone.now() + dt.timedelta(seconds=1))
    return Transaction.objects.get(parent_uuid=order.pk)


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


# A person decides ---------------------------------------------------------------------------------


def needs_person(order: Transaction, who: Person, desk: Desk) -> Action:
    desk.fault("reset")
    return settle(earlier(sent(order, who), minutes=11))


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


def form(order: Transaction, **changes: object) -> dict[str, object]:
    return {
        "reason": REASONS[0],
        "note": "",
        "seen_amount": order.charge_amount,
        "seen_currency": order.charge_currency,
    } | changes


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
