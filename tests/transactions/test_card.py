"""The card shows everything that is known, to whom it may be shown."""

import html
import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from merchant.models import Merchant
from tests.conftest import Person
from tests.merchant.examples import named
from tests.transactions.cards import AT, CARD, CUSTOMER, address, page_of
from tests.transactions.test_pages import keep, seen, text
from transactions import card, declines, notes
from transactions.models import StatusChange, Transaction

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
