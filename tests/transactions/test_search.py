"""The search box says what a text was taken for; whole ids win; nothing that can be typed breaks it."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from hypothesis import given, strategies as st

from merchant.models import Merchant
from tests.conftest import Person, person
from tests.transactions import rows
from tests.transactions.test_pages import keep, seen
from transactions import search, tabs
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.search import amounts
from transactions.selection import BadSelection, selected

WORDS = {
    "4242": "card ending 4242, amount 4,242, or customer ID 4242",
    "•••• 4242": "card ending 4242",
    "**** **** **** 4242": "card ending 4242",
    "12.50": "amount 12.50",
    "12,50": "amount 12.50",
    "€12.50": "amount €12.50",
    "12.50 eur": "amount €12.50",
    "4,242": "amount 4,242 or 4.242",
    "5": "amount 5, or customer ID 5",
    "00123": "amount 123, customer ID 00123, or e-mail address with “00123” in it",
    "mara": "customer ID mara, or e-mail address with “mara” in it",
    "ma": "customer ID ma",
    "Mara Lin": "customer ID Mara Lin",
    "mara@": "customer ID mara@, or e-mail address with “mara@” in it",
    "mara@example.com": "customer ID mara@example.com, or e-mail address mara@example.com",
    "p-3": "customer ID p-3, or e-mail address with “p-3” in it",
    "x4242": "customer ID x4242, or e-mail address with “x4242” in it",
    "٤٢٤٢": "customer ID ٤٢٤٢, or e-mail address with “٤٢٤٢” in it",
    "麻": "customer ID 麻",
    '""': 'customer ID ""',
}


@pytest.mark.parametrize("text", WORDS)
def test_what_was_recognised_is_said(text: str) -> None:
    assert search.in_words(search.readings(text)) == WORDS[text]


@pytest.mark.parametrize("text", ["ma", "m", "麻", "İ"])
def test_a_text_too_short_for_an_address_gets_a_hint(text: str) -> None:
    assert "at least 3 characters" in search.hint(text)
    assert search.hint(f"{text}xyz") == search.hint("12") == search.hint("") == ""


AMOUNTS = {
    "12.50": ("12.5", ""),
    "1 234,50": ("1234.5", ""),
    "1.234,50": ("1234.5", ""),
    "1,234.50": ("1234.5", ""),
    "1'234.50": ("1234.5", ""),
    "1,234,567": ("1234567", ""),
    "€1,234": ("1234", "EUR"),
    "JPY 1,980": ("1980", "JPY"),
    "¥1,980": ("1980", "JPY"),
    "CA$12.50": ("12.5", "CAD"),
    "RUB\xa0100.00": ("100", "RUB"),
    "100 ₽": ("100", "RUB"),
    "12 zł": ("12", "PLN"),
    "-€23.80": ("23.8", "EUR"),
    "\u221223.80": ("23.8", ""),
    "12.": ("12", ""),
    "0.001": ("0.001", ""),
}


@pytest.mark.parametrize("text", AMOUNTS)
def test_amounts_are_read_as_people_write_them(text: str) -> None:
    value, currency = AMOUNTS[text]
    assert amounts.read(text) == amounts.Amount((Decimal(value),), currency)


@pytest.mark.parametrize("text", ["4,242", "4.242", "KWD 4.242"])
def test_a_mark_before_three_digits_means_both(text: str) -> None:
    found = amounts.read(text)
    assert found
    assert found.values == (Decimal(4242), Decimal("4.242"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "€",
        "p3",
        "1.2.3",
        "1,23,456",
        "12 34",
        "1e5",
        "NaN",
        "Infinity",
        "€5€",
        "5 XXXX",
        "1" * 16,
        "٤",
        "1..2",
    ],
)
def test_what_is_no_amount_is_not_taken_for_one(text: str) -> None:
    assert amounts.read(text) is None


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    found = search.readings(text)
    assert all(reading.words for reading in found)
    assert isinstance(search.hint(text), str)
    search.by_id(text)


@given(st.decimals(0, 10**9, places=2), st.sampled_from(["EUR", "USD", "GBP", "CAD"]))
def test_an_amount_copied_from_the_page_is_read_back(value: Decimal, currency: str) -> None:
    from merchant import money

    found = amounts.read(money.display(value, currency))
    assert found == amounts.Amount((value,), currency)


@pytest.fixture
def entry(lantern: Merchant) -> Transaction:
    row = rows.unsaved(lantern)
    row.transaction_id, row.refund_receipt = "681299", "5f8a1d2b9b3d4e0001a7ffff"
    row.status, row.type, row.fulfilment = "processed", "order", "unfulfilled"
    row.customer_email = "mara@example.com"
    row.save(force_insert=True)
    return row


def listed(who: Person, **query: object) -> tuple[str, list[str]]:
    """What the page says, and the rows it shows."""
    answer = who.browser.get("/transactions/", query)
    assert answer.status_code == 200
    return seen(answer.content.decode()), [str(row["uuid"]) for row in answer.context["page"].rows]


def test_a_whole_id_beats_the_other_filters_and_says_so(ann: Person, entry: Transaction) -> None:
    for text in (str(entry.pk), f" {entry.pk} ", f'"{entry.transaction_id}"', entry.refund_receipt):
        said, found = listed(ann, q=text, status="refunded", country="XX", period="today")
        assert found == [str(entry.pk)], text
        assert "Found by ID; the other filters are set aside." in said
        assert "Looking for" not in said
        alone, found = listed(ann, q=text)
        assert found == [str(entry.pk)]
        assert "Found by ID." in alone


def test_an_id_finds_an_order_with_its_refunds(ann: Person, lantern: Merchant, entry: Transaction) -> None:
    refund = rows.unsaved(lantern)
    refund.transaction_id, refund.parent_uuid, refund.type = entry.transaction_id, entry.pk, "refund"
    refund.save(force_insert=True)
    for text in (entry.pk, entry.transaction_id):
        assert sorted(listed(ann, q=text, type="order")[1]) == sorted(map(str, (entry.pk, refund.pk)))


def test_what_looks_like_an_id_but_is_none_is_searched_for_as_usual(ann: Person, entry: Transaction) -> None:
    said, found = listed(ann, q="00000000-0000-4000-8000-00000000abcd")
    assert found == []
    assert "Looking for: customer ID 00000000-0000-4000-8000-00000000abcd" in said
    _, found = listed(ann, q="mara@example.com", status="refunded")
    assert found == []  # no id: the other filter counts


def test_an_id_of_another_merchant_is_no_id(ann: Person, entry: Transaction, copper: Merchant) -> None:
    theirs = copper.transactions.exclude(transaction_id="").first()
    assert theirs
    for text in (theirs.pk, theirs.transaction_id):
        said, found = listed(ann, q=text)
        assert found == []
        assert "Found by ID" not in said


def test_an_export_of_a_whole_id_says_only_what_counts(lantern: Merchant, entry: Transaction) -> None:
    filters = TransactionFilter(lantern, QueryDict("q=681299&status=refunded&currency=EUR"))
    assert filters.in_words() == "Search: 681299"
    assert [chip.aside for chip in filters.chips()] == [False, True, True]


@pytest.mark.parametrize("text", ["a\0b", "\0", "x" * 201])
def test_a_text_that_cannot_be_searched_for_is_refused_beside_the_field(ann: Person, text: str) -> None:
    answer = ann.browser.get("/transactions/", {"q": text})
    assert answer.status_code == 200
    assert answer.context["empty"] == "invalid"
    field = answer.content.decode().split('id="id_q_says"')[1].split("</div>")[0]
    assert "errorlist" in field


@pytest.mark.parametrize(("text", "most"), [("681299", 1), ("mara@example.com", 0), ("12.50 EUR", 0)])
def test_whether_a_text_is_an_id_is_asked_once_and_only_of_a_text_that_can_be_one(
    lantern: Merchant, entry: Transaction, text: str, most: int
) -> None:
    filters = TransactionFilter(lantern, QueryDict(urlencode({"q": text})))
    with CaptureQueriesContext(connection) as captured:
        shown = tabs.of(filters, None)
        assert filters.is_by_id == bool(most)
        assert not any(tab.count for tab in shown)
        assert any("q=" in tab.query for tab in shown) != bool(most)
    assert len(captured) == most


@pytest.fixture(params=["accounting", "view_only"])
def without_personal(request, lantern: Merchant) -> Person:
    """Somebody whose role does not see who the customers are."""
    return person(lantern, "abe", request.param)


@pytest.mark.parametrize("text", ["mara@example.com", "mara@", "@example", "mara", "MARA", "exam", "ple.c"])
def test_who_does_not_see_addresses_learns_nothing_of_them_by_searching(
    ann: Person, without_personal: Person, lantern: Merchant, entry: Transaction, text: str
) -> None:
    other = keep(lantern, "admin.order.simple.processed.card.json")
    Transaction.objects.filter(pk=other.pk).update(customer_email="")
    assert listed(ann, q=text)[1] == [str(entry.pk)]
    said, found = listed(without_personal, q=text)
    assert found == []
    assert "e-mail address with" not in said
    assert ("Your role does not see e-mail addresses" in said) == ("@" in text)
    # Nor from the counts, the news, the neighbours of a card and a selection.
    answers = [_answers(who, text, other) for who in (ann, without_personal)]
    assert answers == [(["1", "1", "1", "0", "0", "0"], 200, True, 1), (["0"] * 6, 204, False, 0)]


def _answers(who: Person, text: str, other: Transaction) -> tuple[list[str], int, bool, int]:
    """What could tell that one row is found: tabs, news, the card of another row, a selection of all."""
    counts = [tab.count for tab in who.browser.get("/transactions/figures/", {"q": text}).context["tabs"]]
    news = who.browser.get("/transactions/newer/", {"q": text, "seen": ""}).status_code
    card = who.browser.get(f"/transactions/{other.pk}/", {"in": urlencode({"q": text})}).content.decode()
    try:
        number = len(selected(who.membership, QueryDict(urlencode({"everything": 1, "query": f"q={text}"}))))
    except BadSelection:
        number = 0
    return counts, news, 'rel="next"' in card or 'rel="prev"' in card, number


def test_a_customer_id_can_be_searched_for_by_everybody(without_personal: Person, entry: Transaction) -> None:
    assert listed(without_personal, q=entry.customer_id)[1] == [str(entry.pk)]
    assert listed(without_personal, q=entry.transaction_id)[1] == [str(entry.pk)]
