"""Periods in every zone, chips, the filter in words, and what there is to choose."""

import datetime as dt
import zoneinfo

import pytest
import time_machine
from django.http import QueryDict
from hypothesis import given, strategies as st

from merchant.models import Merchant
from tests.conftest import HARBOUR, Person
from tests.transactions import rows
from tests.transactions.filtering import NAIVE, chips, found
from transactions import periods
from transactions.filters import TransactionFilter
from transactions.models import Transaction


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
