"""The tabs lead to the states that people ask for most, and say truly how many rows are there."""

import html
import re

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.test_pages import seen, text
from transactions import figures, tabs
from transactions.filters import TransactionFilter
from transactions.models import MonthlyTotal, Transaction

TAB = re.compile(r'<a class="tab" href="([^"]*)"( aria-current="page")?>(.*?)</a>', re.DOTALL)


def shown(who: Person, query: str = "") -> dict[str, tuple[str, bool]]:
    """The tabs of the page: what each says, and its address and whether it is the current one.

    What the page does not tell at once comes from where it asks for it.
    """
    page = text(who.browser, f"/transactions/?{query}")
    asked = re.search(r'id="figures"[^>]* hx-get="([^"]*)" hx-trigger="load"', page)
    if asked:
        page = text(who.browser, html.unescape(asked[1]), HX_Request="true")
    found = TAB.findall(page)
    return {seen(words): (address.replace("&amp;", "&"), bool(current)) for address, current, words in found}


def tabs_of(filters: TransactionFilter, *, by_days: bool) -> list[tabs.Tab]:
    return tabs.of(filters, figures.tab_counts(filters, by_days=by_days))


def counts(merchant: Merchant, query: str, *, by_days: bool = True) -> dict[str, str]:
    found = tabs_of(TransactionFilter(merchant, QueryDict(query)), by_days=by_days)
    return {tab.label: tab.count for tab in found}


def test_six_tabs_with_the_number_of_rows_behind_each(ann: Person, mirrored: Merchant) -> None:
    entries = Transaction.objects.filter(merchant=mirrored)
    numbers = {
        "All": entries.count(),
        "To fulfil": entries.filter(type="order", status="processed", fulfilment="unfulfilled").count(),
        "Processed": entries.filter(status="processed").count(),
        "Refunded": entries.filter(status="refunded").count(),
        "Chargeback": entries.filter(status="chargeback").count(),
        "Failed": entries.filter(status__in=["rejected", "canceled"]).count(),
    }
    assert all(numbers.values())
    assert list(shown(ann)) == [f"{label} {number}" for label, number in numbers.items()]


def test_the_tab_the_overview_and_the_queue_count_the_same_orders(ann: Person, mirrored: Merchant) -> None:
    paid = mirrored.transactions.filter(type="order", status="processed")
    partly = paid.first()
    mirrored.transactions.filter(pk=partly.pk).update(fulfilment="partly")
    mirrored.transactions.filter(type="refund").update(fulfilment="partly")
    number = paid.exclude(fulfilment__in=["fulfilled", "withdrawn"]).count()
    assert f"To fulfil {number}" in shown(ann)
    assert ann.browser.get("/").context["waiting"] == number
    assert ann.browser.get("/to-fulfil/").context["counts"]["fulfil"] == number
    assert partly in TransactionFilter(mirrored, QueryDict("fulfilment=unfulfilled")).found
    assert partly in TransactionFilter(mirrored, QueryDict("fulfilment=partly")).found


def test_a_tab_leads_to_the_rows_it_counts_and_is_marked_there(ann: Person, mirrored: Merchant) -> None:
    for words, (address, _) in shown(ann, "mode=live&sort=amount&cursor=last").items():
        assert "mode=live" in address
        assert "sort=amount" in address
        assert "cursor" not in address
        number = int(words.split()[-1])
        found = TransactionFilter(mirrored, QueryDict(address.partition("?")[2])).found
        assert found.count() == number > 0
        there = shown(ann, address.partition("?")[2])
        assert [each for each, (_, current) in there.items() if current] == [words]


@pytest.mark.parametrize("query", ["status=created", "status=processed&status=pending", "status=rejected"])
def test_other_states_are_no_tab(ann: Person, mirrored: Merchant, query: str) -> None:
    assert not any(current for _, current in shown(ann, query).values())
    # Their counts are those of the tabs all the same: a tab replaces the states.
    assert list(shown(ann, query)) == list(shown(ann))


def test_other_filters_stay_in_force_in_every_count(lantern: Merchant, mirrored: Merchant) -> None:
    for query in (
        "currency=EUR",
        "q=example.com",
        "mode=live&period=last_30_days",
        "method=BANKCARD",
        "type=refund",
    ):
        for by_days in (True, False):
            for tab in tabs_of(TransactionFilter(mirrored, QueryDict(query)), by_days=by_days):
                found = TransactionFilter(mirrored, QueryDict(tab.query)).found
                assert tab.count == str(found.count()), (query, tab)
                assert query.split("&")[0] in tab.query


@pytest.mark.parametrize(
    "query", ["", "currency=EUR", "q=mara", "q=681207", "method=BANKCARD&status=refunded"]
)
def test_one_query_counts_all_of_them(mirrored: Merchant, query: str) -> None:
    filters = TransactionFilter(mirrored, QueryDict(query))
    assert filters.is_valid()
    with CaptureQueriesContext(connection) as captured:
        tabs_of(filters, by_days=True)
    assert sum("monthlytotal" in each["sql"] or "capped" in each["sql"] for each in captured) == 1
    assert len(captured) <= 2  # the other one asks whether the text is an id


def test_nonsense_and_whole_ids_are_not_counted(ann: Person, mirrored: Merchant) -> None:
    entry = mirrored.transactions.first()
    for query in ("from=abc", "status=unknown", f"q={entry.pk}"):
        assert list(shown(ann, query)) == list(tabs.TABS)
    assert not any(current for _, current in shown(ann, f"q={entry.pk}").values())


@pytest.mark.parametrize("by_days", [True, False])
def test_a_count_ends_at_its_limit(
    mirrored: Merchant, monkeypatch: pytest.MonkeyPatch, by_days: bool
) -> None:
    exact = {label: int(count) for label, count in counts(mirrored, "").items()}
    monkeypatch.setattr(tabs, "COUNT_LIMIT", exact["Refunded"])
    for label, count in counts(mirrored, "", by_days=by_days).items():
        over = exact[label] > exact["Refunded"]
        assert count == (f"over {exact['Refunded']:,}" if over else str(exact[label])), label


def test_counts_come_from_the_daily_totals_where_those_can_tell(mirrored: Merchant) -> None:
    MonthlyTotal.objects.update(count=7)
    months = MonthlyTotal.objects.filter(merchant=mirrored).count()
    assert counts(mirrored, "")["All"] == str(7 * months)
    assert counts(mirrored, "q=mara")["All"] == str(
        mirrored.transactions.filter(customer_email__icontains="mara").count()
    )
    assert counts(mirrored, "", by_days=False)["All"] == str(mirrored.transactions.count())


def test_nothing_is_counted_as_nothing(lantern: Merchant) -> None:
    for query in ("", "q=mara", "country=DE"):
        for by_days in (True, False):
            assert set(counts(lantern, query, by_days=by_days).values()) == {"0"}


def test_htmx_gets_the_tabs_beside_the_list(ann: Person, mirrored: Merchant) -> None:
    part = text(ann.browser, "/transactions/?status=refunded", HX_Request="true")
    assert re.search(r'<nav class="tabs" id="tabs"[^>]* hx-swap-oob="true"', part)
    assert len(TAB.findall(part)) == 6
    assert "hx-swap-oob" not in text(ann.browser, "/transactions/")


def test_rows_of_other_merchants_count_nowhere(mirrored: Merchant, copper: Merchant) -> None:
    before = counts(mirrored, "", by_days=False), counts(mirrored, "q=example")
    rows.fill(copper)
    assert (counts(mirrored, "", by_days=False), counts(mirrored, "q=example")) == before


def test_what_waits_is_counted_where_no_whole_month_has_payments(mirrored: Merchant) -> None:
    query = "from=2019-01-15&to=2100-01-15"
    waiting = counts(mirrored, query, by_days=False)["To fulfil"]
    MonthlyTotal.objects.all().delete()
    assert counts(mirrored, query)["To fulfil"] == waiting != "0"
