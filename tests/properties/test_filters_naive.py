"""Every filter, alone, in all pairs and in random crowds, finds what a plain reading of the rows finds."""

import itertools
from collections.abc import Iterator
from decimal import Decimal

import pytest
import time_machine
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.properties.naive import EVERY, FILTERS, IDS, Keep, fill
from tests.transactions.rows import NOW
from transactions import figures, overview, tabs
from transactions.filters import TransactionFilter
from transactions.mirror import totals
from transactions.models import Transaction

crowds = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Rows(list[Transaction]):
    """The rows, said shortly when a test fails."""

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


@pytest.fixture
def filled(lantern: Merchant) -> Iterator[Rows]:
    with time_machine.travel(NOW, tick=False):
        found = Rows(fill(lantern))
        totals.rebuild(lantern)
        yield found


def filters_of(merchant: Merchant, *queries: str) -> TransactionFilter:
    filters = TransactionFilter(merchant, QueryDict("&".join(queries)))
    assert filters.is_valid(), (queries, filters.errors)
    return filters


def found(merchant: Merchant, *queries: str) -> list[str]:
    return sorted(map(str, filters_of(merchant, *queries).found.values_list("pk", flat=True)))


def kept(rows: Rows, *keeps: Keep) -> list[str]:
    return sorted(str(row.pk) for row in rows if all(keep(row) for keep in keeps))


@pytest.mark.parametrize("query", EVERY)
def test_a_filter_alone(lantern: Merchant, filled: Rows, query: str) -> None:
    expected = kept(filled, EVERY[query][1])
    assert found(lantern, query) == expected
    if query not in ("status=", "method=SECONDS_OLD", "q=ma"):
        assert len(expected) > 0, "a filter that finds nothing proves nothing"
        assert len(expected) < len(filled) or query.count("project=") == 2


@pytest.mark.parametrize("names", list(itertools.combinations(FILTERS, 2)), ids="-".join)
def test_all_pairs(lantern: Merchant, filled: Rows, names: tuple[str, str]) -> None:
    pairs = itertools.product(FILTERS[names[0]].items(), FILTERS[names[1]].items())
    for (one, keep_one), (other, keep_other) in pairs:
        assert found(lantern, one, other) == kept(filled, keep_one, keep_other), (one, other)


@pytest.mark.parametrize("whole", IDS)
def test_a_whole_id_sets_every_other_filter_aside(lantern: Merchant, filled: Rows, whole: str) -> None:
    expected = kept(filled, IDS[whole])
    assert 0 < len(expected) < len(filled)
    for other in (query for query, (name, _) in EVERY.items() if name != "q"):
        assert found(lantern, whole, other) == expected, other


def said(filters: TransactionFilter) -> set[tuple[str, str]]:
    return {(chip.label, chip.text) for chip in filters.chips()}


def crowd() -> st.SearchStrategy[list[str]]:
    """At most one value of each filter."""
    each = [st.one_of(st.none(), st.sampled_from(list(queries))) for queries in FILTERS.values()]
    return st.tuples(*each).map(lambda queries: [query for query in queries if query])


@crowds
@given(queries=crowd())
def test_crowds_with_their_chips_tabs_and_totals(lantern: Merchant, filled: Rows, queries: list[str]) -> None:
    keeps = [EVERY[query][1] for query in queries]
    filters = filters_of(lantern, *queries)
    assert found(lantern, *queries) == kept(filled, *keeps)
    # Each chip takes its own value away and nothing else; without all of them everything is found.
    rest, chips = filters, list(filters.chips())
    for number in range(len(chips)):
        left = list(rest.chips())
        assert len(left) == len(chips) - number
        rest = TransactionFilter(lantern, QueryDict(left[0].query_without))
    assert len(rest.found) == len(filled)
    # Each tab counts what it leads to, from the daily totals as from the rows.
    for by_days in (True, False):
        for tab in tabs.of(filters, figures.tab_counts(filters, by_days=by_days)):
            there = TransactionFilter(lantern, QueryDict(tab.query))
            assert tab.count == str(there.found.count()), (tab, by_days)
            assert tab.is_current == (said(there) == said(filters))
    # Totals by hand: what was charged of paid orders, and what went back by refund rows.
    rows = [row for row in filled if all(keep(row) for keep in keeps)]
    by_hand = {}
    for currency in {row.charge_currency for row in rows}:
        mine = [row for row in rows if row.charge_currency == currency]
        paid = [row for row in mine if row.type == "order" and row.status in overview.PAID]
        back = [row for row in mine if row.type == "refund"]
        sums = [sum((row.charge_amount for row in each), Decimal(0)) for each in (paid, back)]
        by_hand[currency] = (len(mine), *sums, sums[0] - sums[1])
    assert by_hand == {
        total.currency: (total.count, total.paid, total.refunded, total.net)
        for total in overview.totals(filters.found)
    }
    if filters.daily is not None:
        assert overview.totals_of_days(filters.daily) == overview.totals(filters.found)


@crowds
@given(data=st.data())
def test_whoever_searches_for_what_stands_in_a_row_finds_it(
    lantern: Merchant, filled: Rows, data: st.DataObject
) -> None:
    row = data.draw(st.sampled_from(filled))
    texts = [str(row.pk), row.pk.hex.upper(), row.transaction_id, row.refund_receipt, row.customer_id]
    texts += [row.customer_email.upper(), row.card_last4, f"•••• {row.card_last4}" if row.card_last4 else ""]
    if row.charge_amount:
        amount = row.charge_amount.normalize()
        texts += [f"{amount:f}", f"{amount:f}".replace(".", ","), f"{amount:f} {row.charge_currency.lower()}"]
        texts += [f"{row.charge_currency}{amount:,f}", f"-{amount:f}"]
    start = data.draw(st.integers(0, max(len(row.customer_email) - 3, 0)))
    texts += [row.customer_email[start : start + 8]]
    text = data.draw(st.sampled_from([text for text in texts if len(text.strip()) > 2 or text.isdigit()]))
    around = data.draw(st.sampled_from(["{}", "  {} ", '"{}"', "„{}“", "\t{}\n"]))
    query = QueryDict(mutable=True)
    query["q"] = around.format(text)
    filters = TransactionFilter(lantern, query)
    assert filters.is_valid()
    assert filters.found.filter(pk=row.pk).exists(), text
