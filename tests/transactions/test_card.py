"""The card shows everything that is known, to whom it may be shown, and leads on through the list."""

import datetime as dt
import html
import re
from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from fulfillment.forms import REASONS
from merchant.models import AuditEvent, Merchant
from merchant.paysuper import records
from tests.conftest import Person, person, signed_in
from tests.merchant.examples import load, named
from tests.transactions import rows
from tests.transactions.test_pages import keep, seen, text
from transactions import card, declines, mirror, notes, paging
from transactions.models import Note, StatusChange, Transaction

KEYS = "admin.order.key.processed.two-platforms.json"
CARD = "admin.order.simple.processed.card.json"
CUSTOMER = ("Mara Lindqvist", "mara.lindqvist@example.com", "203.0.113.24", "Bremen", "28195", "400000")
AT = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def as_role(lantern: Merchant) -> Callable[[str], Browser]:
    """A signed-in browser of somebody with this role."""
    return lambda role: person(lantern, role, role).browser


def address(entry: Transaction, end: str = "") -> str:
    return f"/transactions/{entry.pk}/{end}"


def page_of(browser: Browser, entry: Transaction) -> str:
    return seen(text(browser, address(entry)))


# The sum from gross to net ------------------------------------------------------------------------


@pytest.mark.parametrize("name", named("OrderView", "OrderView2019"))
def test_the_accounting_of_every_order_adds_up_from_line_to_line(lantern: Merchant, name: str) -> None:
    entry = keep(lantern, name)
    found = card.accounting(entry, entry.raw_order.document, [])
    if not found:
        return
    *lines, net = found.lines
    assert sum(line.amount for line in lines) == net.amount
    assert [line.label for line in found.lines if line.is_total] == [net.label]
    assert net.amount == (-entry.net_amount if entry.type == "refund" else entry.net_amount)
    assert "Rounding and other" not in [line.label for line in lines]


def test_a_refund_is_a_sum_of_what_is_taken_away(ann: Person, lantern: Merchant) -> None:
    page = page_of(ann.browser, keep(lantern, "admin.order.refund-order.refunded.json"))
    assert "Refunded gross revenue -$28.70 Tax given back $4.58" in page
    assert "Taken from your revenue -$24.51" in page
    assert "In USD, the currency you are paid in. The customer was charged in EUR." in page


def test_the_card_of_a_refunded_order_says_what_is_left(ann: Person, lantern: Merchant) -> None:
    keep(lantern, "admin.order.refund-order.refunded.json")
    page = page_of(ann.browser, keep(lantern, "admin.order.simple.refunded.original.json"))
    assert "Refunded -€23.80 Left after refunds €0.00" in page
    assert "Net revenue $22.38" in page
    assert "Net after refunds -$2.13" in page


def test_before_the_accounting_there_is_no_sum(ann: Person, lantern: Merchant) -> None:
    page = page_of(ann.browser, keep(lantern, "admin.order.simple.pending.json"))
    assert "Accounting" not in page
    assert "Amount, not charged" in page


# What is shown -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*declines.CODES, "99", "?"])
def test_a_decline_is_explained_with_words_for_the_customer(
    ann: Person, lantern: Merchant, code: str
) -> None:
    entry = keep(
        lantern,
        "admin.order.simple.rejected.code-13.json",
        cancellation={"code": code, "reason": "The bank's own words"},
    )
    decline = declines.CODES.get(code, declines.UNKNOWN)
    page = page_of(ann.browser, entry)
    assert f"Meaning {decline.meaning} What to tell the customer {decline.advice} Code {code}" in page
    assert "PaySuper says The bank's own words" in page
    assert "Payment declined" in page


def test_members_that_are_empty_are_not_shown(ann: Person, lantern: Merchant) -> None:
    answer = ann.browser.get(address(keep(lantern, "admin.order.simple.processed.nulls-and-blanks.json")))
    shown = re.findall(r"<dd>(.*?)</dd>", answer.content.decode(), re.DOTALL)
    assert shown
    assert all(seen(each) not in ("", "–", "None", "null") for each in shown)


def test_members_that_nobody_knows_are_in_the_raw_record(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD, news={"of": ["tomorrow"], "secret_key": "s3cret", "api_token": "t0ken"})
    page = html.unescape(text(ann.browser, address(entry)))
    assert '"tomorrow"' in page
    assert "s3cret" not in page
    assert "t0ken" not in page


def test_wallets_and_coins_are_shown(ann: Person, lantern: Merchant) -> None:
    for name in ("wallet-qiwi", "crypto-bitcoin"):
        entry = keep(lantern, f"admin.order.simple.processed.{name}.json")
        method = entry.raw_order.document["payment_method"]
        known = {**(method["wallet"] or {}), **(method["crypto_currency"] or {})}
        assert known
        assert all(value in page_of(ann.browser, entry) for value in known.values())


@pytest.mark.parametrize("receipt", ["javascript:alert(1)", "http://plain.example", "data:text/html,x"])
def test_only_safe_addresses_become_links(ann: Person, lantern: Merchant, receipt: str) -> None:
    refund = {"amount": 1, "currency": "EUR", "reason": "", "receipt_number": "r", "receipt_url": receipt}
    page = text(ann.browser, address(keep(lantern, CARD, refund=refund)))
    assert html.escape(receipt) in page
    assert f'href="{html.escape(receipt)}"' not in page


# Who sees what -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "developer", "support"])
def test_those_who_help_customers_see_who_they_are(as_role: Callable, lantern: Merchant, role: str) -> None:
    page = page_of(as_role(role), keep(lantern, CARD))
    assert all(each in page for each in CUSTOMER)


@pytest.mark.parametrize("role", ["accounting", "view_only"])
def test_others_see_masked_customers_nowhere_on_the_card(
    as_role: Callable, lantern: Merchant, role: str
) -> None:
    browser, entry = as_role(role), keep(lantern, CARD)
    page = text(browser, address(entry))
    assert [each for each in CUSTOMER if each in page] == []
    for masked in ("M. L.", "m…@example.com", "203.0.…", "…0077"):
        assert masked in page
    assert 'data-copy-value="m' not in page


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("developer", True), ("support", False)])
def test_the_raw_record_is_for_developers(as_role: Callable, lantern: Merchant, role: str, may: bool) -> None:
    assert ("Raw record" in text(as_role(role), address(keep(lantern, CARD)))) == may


# Activation keys ---------------------------------------------------------------------------------


def test_a_key_is_shown_when_asked_for_and_that_is_noted(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    first, second = (item["code"] for item in load(KEYS)["items"])
    before = text(ben.browser, address(entry))
    assert before.count("Show key") == 2
    assert first not in before
    answer = ben.browser.post(address(entry, "items/0/key/"))
    assert first in answer.content.decode()
    assert second not in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    event = AuditEvent.objects.get(event="key.shown")
    assert (event.user, event.subject, event.data) == (ben.membership.user, str(entry.pk), {"position": 0})
    after = text(ben.browser, address(entry))
    assert first not in after
    assert "Activation key shown Lantern Harbour – Standard" in seen(after)


def test_an_old_session_gives_its_password_before_it_sees_a_key(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    answer = signed_in(ben.membership.user, minutes_ago=31).post(address(entry, "items/0/key/"))
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=%2Ftransactions%2F")
    assert not AuditEvent.objects.filter(event="key.shown").exists()


def test_a_key_stays_out_of_the_logs(ben: Person, lantern: Merchant, caplog) -> None:
    entry = keep(lantern, KEYS)
    ben.browser.post(address(entry, "items/0/key/"))
    assert load(KEYS)["items"][0]["code"] not in caplog.text


def test_htmx_gets_the_key_and_the_timeline_alone(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    answer = ben.browser.post(address(entry, "items/1/key/"), headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert "<html" not in page
    assert load(KEYS)["items"][1]["code"] in page
    assert 'hx-swap-oob="true"' in page
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("position", [2, 99, 10**30])
def test_there_is_no_key_where_there_is_no_item(ben: Person, lantern: Merchant, position: int) -> None:
    entry = keep(lantern, KEYS)
    assert ben.browser.post(address(entry, f"items/{position}/key/")).status_code == 404
    assert not AuditEvent.objects.filter(event="key.shown").exists()


def test_accounting_cannot_see_keys(as_role: Callable, lantern: Merchant) -> None:
    browser, entry = as_role("accounting"), keep(lantern, KEYS)
    assert "Show key" not in text(browser, address(entry))
    assert browser.post(address(entry, "items/0/key/")).status_code == 403


# Notes -------------------------------------------------------------------------------------------


def test_a_note_stands_in_the_timeline_with_its_author(ben: Person, ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    listed = {"Referer": f"http://testserver{address(entry, '?in=size%3D100')}"}
    words = {"text": "Called back.\r\n<b>Angry</b>"}
    answer = ben.browser.post(address(entry, "notes/"), words, headers=listed)
    assert answer["Location"] == address(entry, "?in=size%3D100#timeline")
    assert Note.objects.get().text == "Called back.\n<b>Angry</b>"
    page = page_of(ann.browser, entry)
    assert "Note Called back. <b>Angry</b>" in page
    assert "ben@example.com" in page
    assert "Delete the note" not in page
    assert AuditEvent.objects.get(event="note.added").subject == str(entry.pk)


@pytest.mark.parametrize("words", ["", "  \r\n ", "x" * 2001, "a\0b"])
def test_a_note_that_makes_no_sense_comes_back_with_its_text(
    ben: Person, lantern: Merchant, words: str
) -> None:
    entry = keep(lantern, CARD)
    answer = ben.browser.post(address(entry, "notes/"), {"text": words})
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert words.strip().replace("\0", "") in answer.content.decode().replace("\0", "")
    assert not Note.objects.exists()


def test_line_ends_count_as_one_character(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    assert ben.browser.post(address(entry, "notes/"), {"text": "x\r\n" * 999 + "yy"}).status_code == 302


def test_one_deletes_ones_own_note_and_its_text_is_kept_unseen(ben: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    note = notes.add(entry, ben.membership, "Nonsense")
    assert "Delete the note" in page_of(ben.browser, entry)
    for _ in range(2):
        assert ben.browser.post(address(entry, f"notes/{note.pk}/delete/")).status_code == 302
    assert "Nonsense" not in page_of(ben.browser, entry)
    note.refresh_from_db()
    assert note.text == "Nonsense"
    assert AuditEvent.objects.filter(event="note.deleted").count() == 1


def test_nobody_deletes_another_persons_note_or_through_another_order(
    ben: Person, ann: Person, lantern: Merchant
) -> None:
    entry, other = keep(lantern, CARD), keep(lantern, KEYS)
    note = notes.add(entry, ben.membership, "Mine")
    assert ann.browser.post(address(entry, f"notes/{note.pk}/delete/")).status_code == 404
    assert ben.browser.post(address(other, f"notes/{note.pk}/delete/")).status_code == 404
    assert ben.browser.post(address(entry, f"notes/{10**30}/delete/")).status_code == 404
    note.refresh_from_db()
    assert note.deleted_at is None


def test_whoever_only_looks_writes_no_notes(vera: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    assert "Add a note" not in text(vera.browser, address(entry))
    assert vera.browser.post(address(entry, "notes/"), {"text": "x"}).status_code == 403


# The history of the status -----------------------------------------------------------------------


def test_the_timeline_tells_which_status_was_learned_when_and_why(ann: Person, lantern: Merchant) -> None:
    for minute, (status, cause) in enumerate(
        [("pending", "reading"), ("processed", "webhook"), ("processed", "reading"), ("refunded", "refund")]
    ):
        record = records.order(load(CARD) | {"status": status, "locale": str(minute)})
        mirror.apply(lantern, [record], AT + dt.timedelta(minutes=minute), StatusChange.Cause(cause))
    entry = Transaction.objects.get()
    changes = entry.status_changes.values_list("before", "after", "cause", "at")
    assert list(changes) == [
        ("processed", "refunded", "refund", AT + dt.timedelta(minutes=3)),
        ("pending", "processed", "webhook", AT + dt.timedelta(minutes=1)),
    ]
    page = page_of(ann.browser, entry)
    assert page.index("from Processed to Refunded") < page.index("from Pending to Processed")
    assert "Read again after a webhook" in page


def test_a_status_that_is_not_believed_is_no_change(lantern: Merchant) -> None:
    keep(lantern, CARD, status="refunded")
    record = records.order(load(CARD) | {"status": "processed"})
    mirror.apply(lantern, [record], AT + dt.timedelta(hours=1))
    mirror.apply(lantern, [records.order(load(CARD))], AT - dt.timedelta(hours=1))
    assert not StatusChange.objects.exists()


# Through the list --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [*paging.ORDERS, "nonsense"])
@pytest.mark.parametrize("query", ["", "status=processed&currency=EUR", "type=refund&size=25"])
def test_next_walks_the_list_as_filtered_and_previous_walks_back(
    ann: Person, lantern: Merchant, order: str, query: str
) -> None:
    rows.fill(lantern, 60)
    found = Transaction.objects.filter(merchant=lantern)
    found = found.filter(status="processed", charge_currency="EUR") if "EUR" in query else found
    found = found.filter(type="refund") if "refund" in query else found
    entries = list(paging.ordered(found, order))
    for index, entry in enumerate(entries):
        before, after = paging.neighbours(found, order, entry)
        assert before == (entries[index - 1].pk if index else None)
        assert after == (entries[index + 1].pk if index + 1 < len(entries) else None)


def test_the_card_leads_to_its_neighbours_and_back_to_its_row(ann: Person, mirrored: Merchant) -> None:
    query = "status=processed&sort=date&size=25"
    found = list(paging.ordered(mirrored.transactions.filter(status="processed"), "date"))
    listed = ann.browser.get(f"/transactions/?{query}")
    end = f"?{urlencode({'in': query})}"
    assert f'href="/transactions/{found[3].pk}/{end}"' in listed.content.decode()
    page = html.unescape(text(ann.browser, f"/transactions/{found[3].pk}/{end}"))
    assert f'href="/transactions/{found[2].pk}/{end}" rel="prev"' in page
    assert f'href="/transactions/{found[4].pk}/{end}" rel="next"' in page
    assert f'href="/transactions/?{query}#tx-{found[3].pk}"' in page
    first = html.unescape(text(ann.browser, f"/transactions/{found[0].pk}/{end}"))
    assert 'rel="prev"' not in first


@pytest.mark.parametrize("query", ["status=nonsense", "q=a%00b", "from=x&sort=y&cursor=z", "in=in", "%"])
def test_a_card_opens_from_lists_that_make_no_sense(ann: Person, lantern: Merchant, query: str) -> None:
    entry = keep(lantern, CARD)
    assert ann.browser.get(address(entry), {"in": query}).status_code == 200


def test_neighbours_are_of_ones_own_merchant(ann: Person, lantern: Merchant, copper: Merchant) -> None:
    entry = keep(lantern, CARD)
    page = text(ann.browser, address(entry))
    assert 'rel="prev"' not in page
    assert 'rel="next"' not in page


@pytest.mark.parametrize("page", ["http://[bad", "", "https://evil.example/?in=x", "/transactions/?in=x"])
def test_acts_from_elsewhere_return_to_the_plain_card(ben: Person, lantern: Merchant, page: str) -> None:
    entry = keep(lantern, CARD)
    answer = ben.browser.post(address(entry, "notes/"), {"text": "x"}, headers={"Referer": page})
    assert answer["Location"] == address(entry, "#timeline")


@pytest.mark.parametrize("act", ["fulfil", "refund"])
def test_what_is_done_in_a_dialog_keeps_the_list(ben: Person, lantern: Merchant, act: str) -> None:
    entry = keep(lantern, CARD)
    here = f"http://testserver{address(entry, '?in=q%3Dmara')}"
    fields = {"reason": REASONS[0], "seen_amount": "11.89", "seen_currency": "EUR", "note": ""}
    headers = {"HX-Request": "true", "HX-Current-URL": here}
    answer = ben.browser.post(address(entry, f"{act}/"), fields, headers=headers)
    assert answer["HX-Redirect"] == address(entry, "?in=q%3Dmara")


# Cost --------------------------------------------------------------------------------------------


def test_the_card_costs_the_same_queries_however_much_has_happened(ben: Person, mirrored: Merchant) -> None:
    entry = mirrored.transactions.filter(type="refund").first()
    entry = Transaction.objects.get(pk=entry.parent_uuid)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            text(ben.browser, address(entry, "?in=status%3Drefunded"))
        return len(captured)

    notes.add(entry, ben.membership, "one")
    queries()
    before = queries()
    for number in range(20):
        notes.add(entry, ben.membership, f"note {number}")
        StatusChange.objects.create(
            merchant=mirrored, transaction=entry, before="pending", after="processed", cause="reading", at=AT
        )
    assert queries() == before <= 24


def test_amounts_are_copied_as_bare_numbers(ann: Person, lantern: Merchant) -> None:
    page = text(
        ann.browser,
        address(keep(lantern, CARD, order_charge={"amount": Decimal("1234.5"), "currency": "EUR"})),
    )
    assert 'data-copy-value="1234.50" aria-label="Copy: Charged"' in page
