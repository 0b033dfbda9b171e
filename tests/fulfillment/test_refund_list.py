"""The page of refunds: nothing that waits is hidden, and whoever may can look again at once."""

import html
import re

import pytest
from django.db import IntegrityError

from fulfillment import actions, tasks
from fulfillment.models import Action
from merchant.models import AuditEvent, Merchant, RefundRules
from tests.conftest import PASSWORD, Person, person, signed_in
from tests.fulfillment.desk import Desk, ask, broker_down, fresh, mirrored_order, sent
from transactions.models import Transaction

State = Action.State
PARTS = {
    "awaiting_approval": "approval",
    "needs_person": "person",
    "requested": "under-way",
    "sending": "under-way",
    "accepted": "under-way",
    "unknown": "under-way",
    "refunded": "ended",
    "declined": "ended",
    "refused": "ended",
    "not_approved": "ended",
    "undone": "ended",
    "done": "ended",
}


def parts(who: Person) -> dict[str, str]:
    """The page's parts by name, as text."""
    page = who.browser.get("/refunds/").content.decode()
    sections = re.findall(r'<section class="panel" id="([\w-]+)".*?</section>', page, re.DOTALL)
    texts = re.findall(r'<section class="panel" id="[\w-]+"(.*?)</section>', page, re.DOTALL)
    return {
        name: " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
        for name, text in zip(sections, texts, strict=True)
    }


def test_every_state_stands_in_its_part(ann: Person, desk: Desk, lantern: Merchant) -> None:
    asked = {}
    for state in State.values:
        action = ask(mirrored_order(lantern, desk), ann)
        Action.objects.filter(pk=action.pk).update(state=state)
        asked[action.reference] = PARTS[state]
    found = parts(ann)
    assert list(found) == ["approval", "person", "under-way", "ended"]
    for reference, part in asked.items():
        assert [name for name, text in found.items() if reference in text] == [part]


def test_without_any_the_page_says_so_once(ann: Person) -> None:
    assert parts(ann) == {}
    assert "No refunds yet" in ann.browser.get("/refunds/").content.decode()


def test_a_part_without_any_says_so(ann: Person, order: Transaction) -> None:
    ask(order, ann)
    empty = [name for name, text in parts(ann).items() if text.endswith("None.")]
    assert empty == ["approval", "person", "ended"]


def test_what_is_known_stands_there(ann: Person, desk: Desk, order: Transaction) -> None:
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    Action.objects.filter(pk=action.pk).update(state="needs_person", outcome="PaySuper does not tell.")
    text = parts(ann)["person"]
    for known in (
        "PaySuper does not tell.",
        str(order),
        action.reference,
        action.paysuper_refund_id,
        "ann@example.com",
        "next look",
        "sent",
    ):
        assert known in text


def test_who_need_not_know_the_customer_sees_initials_and_no_buttons(
    ann: Person, vera: Person, desk: Desk, order: Transaction
) -> None:
    Transaction.objects.filter(pk=order.pk).update(customer_name="Mara Lund")
    sent(order, ann)
    assert "Mara Lund" in parts(ann)["under-way"]
    text = parts(vera)["under-way"]
    assert "M. L." in text
    assert "Mara" not in text
    assert "Check now" not in text


def test_other_merchants_refunds_are_not_there(ann: Person, cleo: Person, order: Transaction) -> None:
    action = ask(order, ann)
    assert action.reference not in str(parts(cleo))


def test_the_page_asks_the_database_as_often_for_many_as_for_one(
    ann: Person, desk: Desk, lantern: Merchant, django_assert_max_num_queries
) -> None:
    for _ in range(6):
        ask(mirrored_order(lantern, desk), ann)
    with django_assert_max_num_queries(8):
        ann.browser.get("/refunds/")


@pytest.mark.parametrize("state", ["accepted", "unknown", "needs_person"])
def test_check_now_has_the_worker_look_at_once(
    ben: Person, desk: Desk, order: Transaction, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = sent(order, ben)
    Action.objects.filter(pk=action.pk).update(state=state)
    rung: list[int] = []
    monkeypatch.setattr(tasks.settle_action, "delay", rung.append)
    monkeypatch.setattr("django.db.transaction.on_commit", lambda do: do())
    answer = ben.browser.post(f"/actions/{action.pk}/check/", {"back": "refunds"})
    assert (answer.status_code, answer["Location"]) == (302, "/refunds/")
    assert rung == [action.pk]
    assert (action.pk, state) in actions.due()
    assert fresh(action).state == state


@pytest.mark.django_db(transaction=True)
def test_check_now_is_not_lost_with_the_broker(ben: Person, desk: Desk, order: Transaction) -> None:
    desk.plan("stuck_at_2")
    action = sent(order, ben)
    assert actions.due() == []
    with broker_down():
        assert ben.browser.post(f"/actions/{action.pk}/check/").status_code == 302
    assert actions.due() == [(action.pk, "accepted")]


@pytest.mark.parametrize("state", ["requested", "sending", "awaiting_approval", "refunded", "undone"])
def test_there_is_nothing_to_check_before_it_was_sent_or_after_it_ended(
    ben: Person, order: Transaction, state: str
) -> None:
    action = ask(order, ben)
    Action.objects.filter(pk=action.pk).update(state=state)
    before = fresh(action).look_at
    page = ben.browser.post(f"/actions/{action.pk}/check/", follow=True).content.decode()
    assert "does not wait for PaySuper" in page
    assert fresh(action).look_at == before


# The rules ----------------------------------------------------------------------------------------


def rules(**changes: object) -> dict[str, object]:
    return {
        "undo_seconds": 20,
        "limit_currency": "eur",
        "limit_owner": "",
        "limit_developer": "500",
        "limit_support": "100.50",
    } | changes


def test_an_owner_changes_the_rules_and_the_audit_knows_before_and_after(
    ann: Person, lantern: Merchant
) -> None:
    answer = ann.browser.post("/settings/refunds/", rules())
    assert answer["Location"] == "/settings/refunds/"
    kept = RefundRules.of(lantern)
    assert (kept.undo_seconds, kept.limit_currency, kept.limit_owner) == (20, "EUR", None)
    assert (str(kept.limit_developer), str(kept.limit_support)) == ("500.0000", "100.5000")
    line = AuditEvent.objects.get(event="refund_rules.changed")
    assert line.user == ann.membership.user
    assert (line.data["before"]["undo_seconds"], line.data["after"]["undo_seconds"]) == ("0", "20")
    assert (line.data["before"]["limit_support"], line.data["after"]["limit_support"]) == ("None", "100.50")
    ann.browser.post("/settings/refunds/", rules(limit_developer="500.0000", limit_support="100.5000"))
    page = ann.browser.get("/settings/refunds/").content.decode()
    assert 'value="100.50"' in page


def test_a_merchant_without_rules_gets_them_with_the_first_change(ann: Person, lantern: Merchant) -> None:
    RefundRules.objects.all().delete()
    ann.browser.post("/settings/refunds/", rules())
    assert RefundRules.objects.get().merchant == lantern


@pytest.mark.parametrize(
    "changes",
    [
        {"undo_seconds": ""},
        {"undo_seconds": "-1"},
        {"undo_seconds": "601"},
        {"undo_seconds": "9" * 40},
        {"limit_support": "-1"},
        {"limit_support": "1e99"},
        {"limit_support": "NaN"},
        {"limit_support": "much"},
        {"limit_currency": ""},
        {"limit_currency": "ERU"},
        {"limit_currency": "E\0R"},
        {"limit_currency": "EURO"},
    ],
)
def test_rules_that_make_no_sense_change_nothing(
    ann: Person, lantern: Merchant, changes: dict[str, object]
) -> None:
    answer = ann.browser.post("/settings/refunds/", rules(**changes))
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert RefundRules.of(lantern).undo_seconds == 0


def test_a_developer_sees_the_rules_and_cannot_change_them(lantern: Merchant) -> None:
    dan = person(lantern, "dan", "developer")
    page = dan.browser.get("/settings/refunds/").content.decode()
    assert "Only an owner can change these rules." in page
    assert "Save the rules" not in page
    assert dan.browser.post("/settings/refunds/", rules()).status_code == 403
    assert RefundRules.of(lantern).undo_seconds == 0


def test_an_old_session_gives_its_password_first(ann: Person, lantern: Merchant) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    answer = browser.post("/settings/refunds/", rules())
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert RefundRules.of(lantern).undo_seconds == 0
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/settings/refunds/"})
    assert 'value="20"' in browser.get("/settings/refunds/").content.decode()


def test_whoever_would_have_to_approve_their_own_is_warned_of(ann: Person, lantern: Merchant) -> None:
    assert "nobody approves their own" not in ann.browser.get("/settings/refunds/").content.decode()
    RefundRules.objects.update(limit_owner=5)
    assert "nobody approves their own" in ann.browser.get("/settings/refunds/").content.decode()


def test_the_database_keeps_the_time_for_undoing_short(lantern: Merchant) -> None:
    with pytest.raises(IntegrityError, match="undo_within_ten_minutes"):
        RefundRules.objects.update(undo_seconds=601)
