"""Totals are exact, never across currencies, and money that went back is taken off once."""

import datetime as dt
from decimal import Decimal

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.conftest import HARBOUR, SNOW, Person
from tests.transactions import rows
from transactions import figures, overview, paging, periods
from transactions.filters import TransactionFilter
from transactions.models import Transaction


def entry(merchant: Merchant, **values: object) -> Transaction:
    """A processed order over ten euros, or what the values say."""
    row = rows.unsaved(merchant)
    plain = {"type": "order", "status": "processed", "charge_amount": Decimal(10), "charge_currency": "EUR"}
    for name, value in (plain | values).items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def totals() -> dict[str, tuple[int, Decimal, Decimal, Decimal]]:
    found = overview.totals(Transaction.objects.all())
    return {total.currency: (total.count, total.paid, total.refunded, total.net) for total in found}


@pytest.mark.parametrize("status", ["refunded", "chargeback"])
def test_an_order_that_was_given_back_adds_nothing(lantern: Merchant, status: str) -> None:
    entry(lantern)
    entry(lantern, status=status)
    entry(lantern, status=status, type="refund")
    assert totals() == {"EUR": (3, Decimal(20), Decimal(10), Decimal(10))}


def test_a_part_that_was_given_back_is_taken_off(lantern: Merchant) -> None:
    entry(lantern)
    entry(lantern, status="refunded", type="refund", charge_amount=Decimal("3.33"))
    assert totals() == {"EUR": (2, Decimal(10), Decimal("3.33"), Decimal("6.67"))}


@pytest.mark.parametrize("status", ["created", "pending", "rejected", "canceled", "on_the_moon"])
def test_what_was_never_paid_counts_as_an_entry_and_not_as_money(lantern: Merchant, status: str) -> None:
    entry(lantern, status=status)
    assert totals() == {"EUR": (1, Decimal(0), Decimal(0), Decimal(0))}


def test_totals_are_exact_where_floats_are_not(lantern: Merchant) -> None:
    for amount in ["0.1", "0.2", *["0.01"] * 33, "99999999999999.99"]:
        entry(lantern, charge_amount=Decimal(amount))
    assert totals()["EUR"][1] == Decimal("100000000000000.62")


def test_currencies_never_mix_and_the_most_used_comes_first(lantern: Merchant) -> None:
    entry(lantern, charge_currency="JPY", charge_amount=Decimal(1980))
    entry(lantern, charge_currency="BHD", charge_amount=Decimal("12.345"))
    for _ in range(2):
        entry(lantern, charge_currency="USD")
    assert list(totals().items()) == [
        ("USD", (2, Decimal(20), Decimal(0), Decimal(20))),
        ("BHD", (1, Decimal("12.345"), Decimal(0), Decimal("12.345"))),
        ("JPY", (1, Decimal(1980), Decimal(0), Decimal(1980))),
    ]


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(rows.STATUSES),
        st.sampled_from(["order", "refund"]),
        st.sampled_from(["EUR", "JPY"]),
        st.decimals(0, 10**6, places=2),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ENTRIES)
def test_totals_are_what_adding_by_hand_gives(
    lantern: Merchant, entries: list[tuple[str, str, str, Decimal]]
) -> None:
    Transaction.objects.all().delete()
    for status, kind, currency, amount in entries:
        entry(lantern, status=status, type=kind, charge_currency=currency, charge_amount=amount)
    for currency, (count, paid, refunded, net) in totals().items():
        ours = [each for each in entries if each[2] == currency]
        assert count == len(ours)
        assert paid == sum(e[3] for e in ours if e[1] == "order" and e[0] in overview.PAID)
        assert refunded == sum(e[3] for e in ours if e[1] == "refund")
        assert net == paid - refunded
    assert set(totals()) == {each[2] for each in entries}
    assert overview.counted(Transaction.objects.all()) == len(entries)


def test_an_exact_count_ends_at_its_limit(lantern: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "COUNT_LIMIT", 2)
    for expected in (1, 2, None):
        entry(lantern)
        assert overview.counted(Transaction.objects.order_by("-created_at")) == expected


def test_the_list_shows_the_totals_of_what_it_found(ann: Person, lantern: Merchant) -> None:
    entry(lantern)
    entry(lantern, status="refunded", charge_amount=Decimal("1234.50"))
    entry(lantern, status="refunded", type="refund", charge_amount=Decimal("1234.50"))
    entry(lantern, status="processed", charge_currency="JPY", charge_amount=Decimal(1980))
    page = ann.browser.get("/transactions/?currency=EUR").content.decode()
    for text in ("€1,244.50", "-€1,234.50", "€10.00", "3 transactions"):
        assert text in page
    assert "1,980" not in page.split("<tbody>")[1]


@pytest.mark.django_db
def test_nothing_has_no_totals() -> None:
    assert list(overview.totals(Transaction.objects.all())) == []
    assert overview.counted(Transaction.objects.all()) == 0


@given(
    query=st.fixed_dictionaries(
        {},
        optional={
            "status": st.lists(
                st.sampled_from(["created", "processed", "refunded", "chargeback"]), max_size=3
            ),
            "currency": st.lists(st.sampled_from(["EUR", "JPY", "BHD", "USD"]), max_size=2),
            "type": st.sampled_from(["order", "refund"]),
            "project": st.sampled_from([HARBOUR, SNOW]),
            "period": st.sampled_from(list(periods.PRESETS)),
            "from": st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31)).map(str),
            "to": st.dates(dt.date(2026, 6, 1), dt.date(2026, 12, 31)).map(str),
        },
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_daily_totals_say_what_the_entries_say(mirrored: Merchant, query: dict[str, object]) -> None:
    address = QueryDict(mutable=True)
    for name, value in query.items():
        address.setlist(name, value if isinstance(value, list) else [value])
    filters = TransactionFilter(mirrored, address)
    if filters.is_valid():
        assert overview.totals_of_days(filters.daily) == overview.totals(filters.found)
        # And by months where those are whole, as the list tells them above a page of many.
        page = paging.Page(rows=[], previous="", next="more")
        told = figures.at_once(filters, page, by_days=True)
        assert told.totals == overview.totals(filters.found)
        assert told.count == filters.found.count()


@pytest.mark.parametrize(
    "more", ["q=player", "method=BANKCARD", "amount_min=1", "fulfilment=unfulfilled", "country=DE"]
)
def test_daily_totals_know_when_they_cannot_tell(mirrored: Merchant, more: str) -> None:
    assert TransactionFilter(mirrored, QueryDict(f"status=processed&{more}")).daily is None


# What each filter leaves of one sale that stands, one that was refunded, one that was charged back, a part
# refund of the first, and one that was declined: count, paid, refunded, net.
BY_HAND = {
    "": (7, "110.00", "53.33", "56.67"),
    "type=order": (4, "110.00", "0", "110.00"),
    "type=refund": (3, "0", "53.33", "-53.33"),
    "status=processed": (1, "60.00", "0", "60.00"),
    "status=refunded": (3, "20.00", "23.33", "-3.33"),
    "status=chargeback": (2, "30.00", "30.00", "0"),
    "status=refunded&type=order": (1, "20.00", "0", "20.00"),
    "status=processed&status=refunded&status=chargeback": (6, "110.00", "53.33", "56.67"),
    "status=rejected": (1, "0", "0", "0"),
    "fulfilment=unfulfilled": (1, "60.00", "0", "60.00"),
    "mode=live": (7, "110.00", "53.33", "56.67"),
    "amount_min=30&amount_max=30": (2, "30.00", "30.00", "0"),
}


@pytest.mark.parametrize("query", BY_HAND)
def test_totals_of_every_filter_are_those_of_the_rows_it_shows(lantern: Merchant, query: str) -> None:
    amounts = {"processed": "60.00", "refunded": "20.00", "chargeback": "30.00", "rejected": "99.00"}
    for status, amount in amounts.items():
        entry(lantern, status=status, charge_amount=Decimal(amount), fulfilment="unfulfilled")
    for status, amount in (("refunded", "20.00"), ("refunded", "3.33"), ("chargeback", "30.00")):
        entry(lantern, status=status, type="refund", charge_amount=Decimal(amount))
    found = TransactionFilter(lantern, QueryDict(query)).found
    count, *amounts_by_hand = BY_HAND[query]
    (total,) = overview.totals(found)
    assert (total.count, total.paid, total.refunded, total.net) == (count, *map(Decimal, amounts_by_hand))
