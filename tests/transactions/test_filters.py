"""Every filter finds what a plain reading of the same rows finds; nonsense is said and finds nothing."""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from tests.conftest import HARBOUR, KETTLE, SNOW, Person
from tests.transactions import rows
from tests.transactions.rows import BERLIN, NOW
from transactions import periods
from transactions.filters import TransactionFilter
from transactions.models import Transaction

Keep = Callable[[Transaction], bool]


@pytest.fixture
def filled(lantern: Merchant) -> Iterator[list[Transaction]]:
    with time_machine.travel(NOW, tick=False):
        yield rows.fill(lantern)


def days(first: str = "2000-01-01", last: str = "2100-01-01") -> Keep:
    return lambda row: first <= row.created_at.astimezone(BERLIN).date().isoformat() <= last


def any_of(name: str, *values: str) -> Keep:
    return lambda row: getattr(row, name) in values


def product(text: str) -> Keep:
    lower = text.lower()
    return lambda row: (
        lower in row.product.lower()
        or any(lower in item.sku.lower() or lower in item.name.lower() for item in row.items.all())
    )


def waiting(row: Transaction) -> bool:
    return row.fulfilment in ("unfulfilled", "partly") and (row.type, row.status) == ("order", "processed")


def searched(text: str) -> Keep:
    def keep(row: Transaction) -> bool:
        exact = (row.transaction_id, row.customer_id, row.refund_receipt, row.card_last4)
        part = len(text) >= 3 and text.lower() in row.customer_email.lower()
        return text in exact or part or text in (str(row.uuid), str(row.parent_uuid))

    return keep


# Whole ids: they set all other filters aside.
IDS = {"q=681207", "q=receipt13", "q=00000000-0000-0000-0000-000000000001"}


# What stands in the address, and what it means for one row. All of these find some rows and leave some.
NAIVE: dict[str, Keep] = {
    "status=processed": any_of("status", "processed"),
    "status=refunded&status=chargeback": any_of("status", "refunded", "chargeback"),
    f"project={HARBOUR}": lambda row: row.project.paysuper_id == HARBOUR,
    f"project={SNOW}": lambda row: row.project.paysuper_id == SNOW,
    "product=sword": product("sword"),
    "product=sword-1": product("sword-1"),
    "product=100%25 wool_": product("100% wool_"),
    "product=%D0%BA%D0%BB%D1%8E%D1%87": product("ключ"),
    "method=BANKCARD": any_of("method", "BANKCARD"),
    "method=QIWI": any_of("method", "QIWI"),
    "country=DE": any_of("country", "DE"),
    "currency=JPY": any_of("charge_currency", "JPY"),
    "currency=EUR&currency=BHD": any_of("charge_currency", "EUR", "BHD"),
    "from=2025-10-26": days("2025-10-26"),
    "to=2025-10-26": days(last="2025-10-26"),
    "from=2025-10-26&to=2025-10-26": days("2025-10-26", "2025-10-26"),
    "from=2026-03-29&to=2026-03-29": days("2026-03-29", "2026-03-29"),
    "from=2026-02-28&to=2026-03-28": days("2026-02-28", "2026-03-28"),
    "period=today": days("2026-03-31", "2026-03-31"),
    "period=yesterday": days("2026-03-30", "2026-03-30"),
    "period=last_7_days": days("2026-03-25", "2026-03-31"),
    "period=last_30_days": days("2026-03-02", "2026-03-31"),
    "period=this_month": days("2026-03-01", "2026-03-31"),
    "period=last_month": days("2026-02-01", "2026-02-28"),
    "period=this_year": days("2026-01-01", "2026-12-31"),
    "period=today&from=2025-12-31": days("2025-12-31"),
    "period=today&to=2025-12-31": days(last="2025-12-31"),
    "amount_min=5": lambda row: row.charge_amount >= 5,
    "amount_min=11.89": lambda row: row.charge_amount >= Decimal("11.89"),
    "amount_max=11.89": lambda row: row.charge_amount <= Decimal("11.89"),
    "amount_max=0": lambda row: row.charge_amount == 0,
    "amount_min=0.01&amount_max=12.345": lambda row: (
        Decimal("0.01") <= row.charge_amount <= Decimal("12.345")
    ),
    "fulfilment=fulfilled": any_of("fulfilment", "fulfilled"),
    "fulfilment=unfulfilled": waiting,
    "type=order": any_of("type", "order"),
    "type=refund": any_of("type", "refund"),
    "q=681207": searched("681207"),
    "q=p-3": searched("p-3"),
    "q=0077": searched("0077"),
    "q=receipt13": searched("receipt13"),
    "q=mara@EXAMPLE": searched("mara@EXAMPLE"),
    "q=tag_x%25@": searched("tag_x%@"),
    "q=%D0%9B%D0%98@%D0%9F": searched("ЛИ@П"),
    "q=%20%20p-3%20": searched("p-3"),
    "q=00000000-0000-0000-0000-000000000001": searched("00000000-0000-0000-0000-000000000001"),
}


def found(merchant: Merchant, query: str) -> set[Any]:
    filters = TransactionFilter(merchant, QueryDict(query.replace("+", "%2B")))
    assert filters.is_valid(), filters.errors
    pks = list(filters.found.values_list("pk", flat=True))
    assert len(pks) == len(set(pks)), "a row came twice"
    return set(pks)


def expected(filled: list[Transaction], *queries: str) -> set[Any]:
    counting = [query for query in queries if query in IDS] or queries
    return {row.pk for row in filled if all(NAIVE[query](row) for query in counting)}


@pytest.mark.parametrize("query", NAIVE)
def test_a_filter_alone_finds_what_a_plain_reading_finds(
    lantern: Merchant, filled: list[Transaction], query: str
) -> None:
    wanted = expected(filled, query)
    assert 0 < len(wanted) < len(filled), "a filter that finds all or none proves nothing"
    assert found(lantern, query) == wanted


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(queries=st.lists(st.sampled_from(list(NAIVE)), min_size=2, max_size=3))
def test_filters_together_find_what_all_of_them_find(
    lantern: Merchant, filled: list[Transaction], queries: list[str]
) -> None:
    queries = _compatible(queries)
    assert found(lantern, "&".join(queries)) == expected(filled, *queries)


def _compatible(queries: list[str]) -> list[str]:
    """Those that do not say the same thing twice: a second word for it replaces or widens the first."""
    taken: set[str] = set()
    kept = []
    for query in queries:
        names = {part.split("=")[0] for part in query.split("&")}
        names = names | {"from", "to", "period"} if names & {"from", "to", "period"} else names
        names = names | {"amount_min", "amount_max"} if names & {"amount_min", "amount_max"} else names
        if not names & taken:
            kept.append(query)
        taken |= names
    return kept


def test_no_filter_finds_everything_of_this_merchant_only(
    lantern: Merchant, filled: list[Transaction], copper: Merchant
) -> None:
    assert found(lantern, "") == {row.pk for row in filled}
    assert found(copper, "") == set(copper.transactions.values_list("pk", flat=True))
    everything = found(lantern, "q=") & found(lantern, "status=&project=&from=&amount_min=&unknown=7")
    assert everything == {row.pk for row in filled}


NONSENSE = [
    "from=yesterday",
    "from=2026-02-30",
    "from=2026-1-1x",
    "from=01.02.2026",
    "from=99999-01-01",
    "from=2026-03-02&to=2026-03-01",
    "to=%00",
    "period=next_century",
    "status=unknown",
    "status=processed&status=unknown",
    "status=%00",
    f"project={KETTLE}",
    "project=1",
    "project=%00",
    "project=' OR 1=1 --",
    "method=%00",
    "method=" + "x" * 101,
    "country=%00",
    "currency=EUR&currency=%00",
    f"project={HARBOUR}&project={KETTLE}",
    "mode=sandbox",
    "amount_min=much",
    "amount_min=NaN",
    "amount_min=Infinity",
    "amount_min=1e400",
    "amount_min=1e-400",
    "amount_min=" + "9" * 5000,
    "amount_min=0." + "0" * 500 + "1",
    "amount_max=12,5",
    "amount_min=5&amount_max=4.99",
    "amount_max=%00",
    "fulfilment=maybe",
    "type=gift",
    "q=%00",
    "q=a%00b",
    "q=" + "x" * 201,
    "product=%00",
    "product=" + "x" * 201,
]
# Values that nobody has seen yet, such as a method that is seconds old.
UNSEEN = {
    "method=CARRIER_PIGEON": "CARRIER_PIGEON",
    "country=xx": "xx",
    "country=XX": "XX",
    "country=IS": "Iceland",
    "country=de": "de",
    "country=' OR ''='": "' OR ''='",
    "currency=ZZZ": "ZZZ",
    "currency=null": "null",
}
HARMLESS = [
    "to=9999-12-31",
    "from=9999-12-31",
    "from=0001-01-01",
    "to=0001-01-01",
    "from=0001-01-01&to=9999-12-31",
    "amount_min=-5",
    "amount_max=-99999999999999.9999",
    "amount_min=999999999999999",
    "q=' OR 1=1 --",
    "q='; DROP TABLE transactions_transaction; --",
    "q=%25",
    "q=___",
    "q=%5C",
    "q=%ED%A0%80",
    "q=%FF",
    "q={00000000-0000-0000-0000-000000000001}",
    "product=%25",
    "product=%5C",
    "country=DE&country=US",
    "q=a&q=b",
    "period=today&period=yesterday",
    "sort=nonsense",
    "sort=%00",
    "size=7",
    "size=%00",
    "page=3",
    "status[]=processed",
    "%00=%00",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_nonsense_is_said_and_finds_nothing(ann: Person, filled: list[Transaction], query: str) -> None:
    filters = TransactionFilter(ann.membership.merchant, QueryDict(query))
    assert not filters.found.exists()
    errors = [error for errors in filters.form.errors.values() for error in errors]
    assert errors
    answer = ann.browser.get(f"/transactions/?{query}")
    assert answer.status_code == 200
    assert answer.context["empty"] == "invalid"
    assert all(word in answer.content.decode() for word in errors[0].split()[:2])


@pytest.mark.parametrize("query", UNSEEN)
def test_a_value_that_nobody_has_seen_finds_nothing_and_is_said(
    ann: Person, lantern: Merchant, filled: list[Transaction], query: str
) -> None:
    assert found(lantern, query) == set()
    answer = ann.browser.get(f"/transactions/?{query}")
    assert answer.context["empty"] == "no_match"
    assert [chip.text for chip in answer.context["chips"]] == [UNSEEN[query]]
    # The field keeps it, so that the next change of another filter does not drop it.
    field = answer.context["filter"].form[query.split("=", maxsplit=1)[0]]
    assert UNSEEN[query] in [option.choice_label for option in field if option.data["selected"]]


def test_an_unseen_currency_widens_what_is_found_by_nothing(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "currency=EUR&currency=ZZZ") == found(lantern, "currency=EUR") != set()


def test_what_arrived_a_moment_ago_can_be_filtered_at_once(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "")  # what can be chosen is remembered from now on
    project = lantern.projects.create(paysuper_id="ab" * 12, name="Brand new")
    entry = rows.unsaved(lantern)
    entry.method, entry.country, entry.charge_currency, entry.project = "PIGEON", "IS", "ISK", project
    entry.save(force_insert=True)
    for query in ("method=PIGEON", "country=IS", "currency=ISK", f"project={'ab' * 12}"):
        assert found(lantern, query) == {entry.pk}, query
    assert chips(lantern, f"project={'ab' * 12}") == [("Project", "Brand new", "")]


def test_a_project_of_another_merchant_is_as_unknown_as_one_that_does_not_exist(
    lantern: Merchant, copper: Merchant
) -> None:
    errors = [
        TransactionFilter(lantern, QueryDict(f"project={project}")).form.errors
        for project in (KETTLE, "f" * 24)
    ]
    assert errors[0] == errors[1] != {}
    assert found(copper, f"project={KETTLE}")


@pytest.mark.parametrize("query", HARMLESS)
def test_odd_values_break_nothing(ann: Person, filled: list[Transaction], query: str) -> None:
    for zone in (
        "Europe/Berlin",
        *(("Pacific/Kiritimati", "America/Los_Angeles") if "-12-31" in query else ()),
    ):
        Merchant.objects.update(time_zone=zone)
        answer = ann.browser.get(f"/transactions/?{query}&size=25")
        assert answer.status_code == 200
        assert answer.context["empty"] in ("", "no_match")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            "q period status project product method country currency from to amount_min amount_max fulfilment"
            " type mode sort cursor size".split()
        ),
        st.one_of(st.text(max_size=30), st.integers().map(str), st.decimals().map(str), st.dates().map(str)),
        max_size=4,
    )
)
def test_no_address_breaks_the_list(ann: Person, parameters: dict[str, str]) -> None:
    try:
        answer = ann.browser.get("/transactions/", parameters)
    except UnicodeEncodeError:
        return  # half a surrogate pair cannot even be typed into an address
    assert answer.status_code == 200


def test_several_values_of_a_single_filter_mean_the_last(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert found(lantern, "country=DE&country=US") == found(lantern, "country=US") != set()


@pytest.mark.parametrize(
    ("zone", "today", "name", "first", "last"),
    [
        # The day of the change to summer time has 23 hours, that to winter time 25.
        ("Europe/Berlin", "2026-03-29T12:00Z", "today", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        ("Europe/Berlin", "2026-10-25T12:00Z", "today", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        ("Europe/Berlin", "2026-03-30T00:00Z", "yesterday", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        # It is already tomorrow in the east and still yesterday in the west.
        ("Pacific/Kiritimati", "2026-01-31T11:00Z", "this_month", "2026-01-31T10:00Z", "2026-02-01T10:00Z"),
        ("America/Los_Angeles", "2026-03-01T07:00Z", "this_month", "2026-02-01T08:00Z", "2026-03-01T08:00Z"),
        ("UTC", "2026-03-31T23:59Z", "last_month", "2026-02-01T00:00Z", "2026-03-01T00:00Z"),
        ("UTC", "2028-03-01T00:00Z", "last_month", "2028-02-01T00:00Z", "2028-03-01T00:00Z"),
        ("UTC", "2026-01-01T00:00Z", "last_month", "2025-12-01T00:00Z", "2026-01-01T00:00Z"),
        ("UTC", "2026-01-01T00:00Z", "yesterday", "2025-12-31T00:00Z", "2026-01-01T00:00Z"),
        ("UTC", "2026-03-03T00:00Z", "last_7_days", "2026-02-25T00:00Z", "2026-03-04T00:00Z"),
        ("UTC", "2026-03-31T00:00Z", "last_30_days", "2026-03-02T00:00Z", "2026-04-01T00:00Z"),
        ("UTC", "2026-02-10T00:00Z", "this_year", "2026-01-01T00:00Z", "2026-02-11T00:00Z"),
        ("UTC", "2026-02-10T00:00Z", "last_year", "2025-01-01T00:00Z", "2026-01-01T00:00Z"),
        ("UTC", "2028-02-29T00:00Z", "last_90_days", "2027-12-02T00:00Z", "2028-03-01T00:00Z"),
        # A week begins on Monday, whether that is today or six days ago.
        ("UTC", "2026-03-30T00:00Z", "this_week", "2026-03-30T00:00Z", "2026-03-31T00:00Z"),
        ("UTC", "2026-04-05T23:59Z", "this_week", "2026-03-30T00:00Z", "2026-04-06T00:00Z"),
        ("UTC", "2026-01-01T00:00Z", "last_week", "2025-12-22T00:00Z", "2025-12-29T00:00Z"),
        ("Europe/Berlin", "2026-03-30T12:00Z", "last_week", "2026-03-22T23:00Z", "2026-03-29T22:00Z"),
        ("UTC", "2026-05-31T00:00Z", "this_quarter", "2026-04-01T00:00Z", "2026-06-01T00:00Z"),
        ("UTC", "2026-02-28T00:00Z", "last_quarter", "2025-10-01T00:00Z", "2026-01-01T00:00Z"),
        ("UTC", "2026-12-31T00:00Z", "last_quarter", "2026-07-01T00:00Z", "2026-10-01T00:00Z"),
        # Midnight does not exist on the day on which the clock jumps from 0 to 1 o'clock.
        ("Africa/Cairo", "2026-04-24T12:00Z", "today", "2026-04-23T22:00Z", "2026-04-24T21:00Z"),
        # It comes twice where the clock falls back from 1 to 0 o'clock.
        ("America/Havana", "2026-11-01T12:00Z", "today", "2026-11-01T04:00Z", "2026-11-02T05:00Z"),
    ],
)
def test_periods_are_days_of_the_merchants_zone(
    lantern: Merchant, zone: str, today: str, name: str, first: str, last: str
) -> None:
    Merchant.objects.update(time_zone=zone)
    lantern.refresh_from_db()
    start, end = dt.datetime.fromisoformat(first), dt.datetime.fromisoformat(last)
    tick = dt.timedelta(microseconds=1)
    inside, outside = [start, end - tick], [start - tick, end]
    entries = rows.fill(lantern, 4)
    for entry, moment in zip(entries, inside + outside, strict=True):
        entry.created_at = moment
        entry.save()
    with time_machine.travel(dt.datetime.fromisoformat(today), tick=False):
        assert found(lantern, f"period={name}") == {entry.pk for entry in entries[:2]}


@given(
    st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)),
    st.sampled_from(sorted(zoneinfo.available_timezones())),
)
def test_days_meet_without_gap_or_overlap_in_every_zone(day: dt.date, name: str) -> None:
    zone, after = zoneinfo.ZoneInfo(name), day + dt.timedelta(days=1)
    today, tomorrow = periods.Days(day, day).bounds(zone), periods.Days(after, after).bounds(zone)
    assert today[1] == tomorrow[0]
    assert periods.Days(None, None).bounds(zone) == (None, None)


@given(st.dates(dt.date(2000, 3, 1), dt.date(2100, 1, 1)))
def test_presets_are_in_order_on_every_day(day: dt.date) -> None:
    for name in periods.PRESETS:
        asked = periods.preset(name, day)
        assert asked.first
        assert asked.last
        assert asked.first <= asked.last <= day
    month = periods.preset("last_month", day)
    assert month.last
    assert month.last + dt.timedelta(days=1) == day.replace(day=1)
    assert month.first == month.last.replace(day=1)


def chips(merchant: Merchant, query: str) -> list[tuple[str, str, str]]:
    filters = TransactionFilter(merchant, QueryDict(query))
    return [(chip.label, chip.text, chip.query_without) for chip in filters.chips()]


def test_chips_say_what_is_set_and_how_to_remove_it(lantern: Merchant, filled: list[Transaction]) -> None:
    query = (
        f"status=processed&status=refunded&project={HARBOUR}&country=DE&sort=amount&cursor=after~1~2&q=%20"
    )
    assert chips(lantern, query) == [
        ("Status", "Processed", f"status=refunded&project={HARBOUR}&country=DE&sort=amount&q=+"),
        ("Status", "Refunded", f"status=processed&project={HARBOUR}&country=DE&sort=amount&q=+"),
        ("Project", "Lantern Harbour", "status=processed&status=refunded&country=DE&sort=amount&q=+"),
        ("Country", "Germany", f"status=processed&status=refunded&project={HARBOUR}&sort=amount&q=+"),
    ]


def test_removing_all_chips_one_by_one_ends_with_everything(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    for query in NAIVE:
        rest, steps = query, 0
        while left := chips(lantern, rest):
            rest = left[0][2]
            steps += 1
            assert steps < 5, query
        assert found(lantern, rest) == {row.pk for row in filled}, query


def test_a_filter_that_is_given_twice_has_one_chip_that_removes_it(
    lantern: Merchant, filled: list[Transaction]
) -> None:
    assert chips(lantern, "country=DE&country=US") == [("Country", "United States", "")]


def test_a_period_that_dates_overrule_is_not_claimed(lantern: Merchant, filled: list[Transaction]) -> None:
    words = TransactionFilter(lantern, QueryDict("period=today&from=2026-01-01")).in_words()
    assert words == "From: 2026-01-01"


def test_the_filter_in_words(lantern: Merchant, filled: list[Transaction]) -> None:
    def words(query: str) -> str:
        return TransactionFilter(lantern, QueryDict(query)).in_words()

    assert words("") == words("sort=amount&cursor=last") == "All transactions"
    assert words("period=last_month&currency=EUR&amount_min=5") == (
        "Period: Last month · Currency: EUR · Amount from: 5 · Days: 2026-02-01 to 2026-02-28"
    )
    assert words("q=<b>&method=BANKCARD&type=refund") == "Search: <b> · Method: Bank card · Type: Refund"


def test_the_choices_are_those_that_occur_and_come_up_after_the_first_fill(
    lantern: Merchant, ann: Person
) -> None:
    assert ann.browser.get("/transactions/").status_code == 200  # a look at the empty list is not remembered
    rows.fill(lantern)
    form = TransactionFilter(lantern, QueryDict("")).form
    assert [value for value, _ in form.fields["currency"].choices] == ["BHD", "EUR", "JPY", "USD"]
    assert ("QIWI", "QIWI Wallet") in list(form.fields["method"].choices)
    assert [title for _, title in form.fields["project"].choices] == ["Lantern Harbour", "Snow Defender"]
