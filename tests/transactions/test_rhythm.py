"""When a schedule is due, in zones whose clocks jump and in months of all lengths."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from transactions.rhythm import DAILY, MONTHLY, WEEKLY, Rhythm

BERLIN, APIA = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
SIX, HALF_PAST_TWO = dt.time(6), dt.time(2, 30)


def utc(*numbers: int) -> dt.datetime:
    return dt.datetime(*numbers, tzinfo=dt.UTC)


def local_days(rhythm: Rhythm, first: dt.datetime, last: dt.datetime) -> list[str]:
    return [f"{each.astimezone(BERLIN):%m-%d}" for each in rhythm.due(BERLIN, first, last)]


def test_a_time_that_the_clock_skips_is_due_when_it_has_skipped_it():
    # 2026-03-29 in Berlin: 01:59:59 is followed by 03:00:00.
    due = Rhythm(DAILY, HALF_PAST_TWO).due(BERLIN, utc(2026, 3, 28, 12), utc(2026, 3, 30, 12))
    assert due == [utc(2026, 3, 29, 1), utc(2026, 3, 30, 0, 30)]


def test_a_time_that_the_clock_shows_twice_is_due_once():
    # 2026-10-25 in Berlin: 02:30 comes at 00:30 and at 01:30 UTC.
    rhythm = Rhythm(DAILY, HALF_PAST_TWO)
    assert rhythm.due(BERLIN, utc(2026, 10, 24, 12), utc(2026, 10, 25, 12)) == [utc(2026, 10, 25, 0, 30)]
    assert rhythm.due(BERLIN, utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 12)) == []
    assert rhythm.next(BERLIN, utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 26, 1, 30)


def test_the_local_time_stays_when_the_clock_changes():
    due = Rhythm(DAILY, SIX).due(BERLIN, utc(2026, 3, 27, 12), utc(2026, 3, 30, 12))
    assert due == [utc(2026, 3, 28, 5), utc(2026, 3, 29, 4), utc(2026, 3, 30, 4)]


def test_a_day_that_never_was_is_due_at_the_beginning_of_the_next():
    # Samoa went from the 29th to the 31st of December 2011.
    due = Rhythm(DAILY, SIX).due(APIA, utc(2011, 12, 29, 17), utc(2011, 12, 31))
    assert due == [utc(2011, 12, 30, 10), utc(2011, 12, 30, 16)]


@pytest.mark.parametrize(
    ("day", "days"),
    [
        (31, ["01-31", "02-28", "03-31", "04-30", "05-31"]),
        (30, ["01-30", "02-28", "03-30", "04-30", "05-30"]),
        (1, ["01-01", "02-01", "03-01", "04-01", "05-01"]),
    ],
)
def test_a_month_without_the_day_has_its_last_day(day, days):
    rhythm = Rhythm(MONTHLY, SIX, day=day)
    assert local_days(rhythm, utc(2025, 12, 31, 12), utc(2026, 5, 31, 12)) == days


def test_a_leap_year_has_one_day_more():
    assert local_days(Rhythm(MONTHLY, SIX, day=31), utc(2028, 2, 2), utc(2028, 3, 2)) == ["02-29"]


def test_business_days_leave_weekends_out():
    daily = Rhythm(DAILY, SIX, business_days=True)
    assert local_days(daily, utc(2026, 1, 1, 12), utc(2026, 1, 6, 12)) == ["01-02", "01-05", "01-06"]
    # 2026-02-01 is a Sunday, 2026-02-28 a Saturday at the end of its month.
    first, last = (Rhythm(MONTHLY, SIX, day=day, business_days=True) for day in (1, 31))
    assert local_days(first, utc(2026, 1, 10), utc(2026, 3, 1)) == ["02-02"]
    assert local_days(last, utc(2026, 2, 1), utc(2026, 3, 1)) == ["02-27"]


def test_a_week_has_its_day():
    rhythm = Rhythm(WEEKLY, SIX, weekday=4)
    assert local_days(rhythm, utc(2026, 1, 1, 12), utc(2026, 1, 20)) == ["01-02", "01-09", "01-16"]


@pytest.mark.parametrize(
    ("rhythm", "words"),
    [
        (Rhythm(DAILY, SIX), "Every day at 06:00"),
        (Rhythm(DAILY, SIX, business_days=True), "Monday to Friday at 06:00"),
        (Rhythm(WEEKLY, SIX, weekday=6), "Every Sunday at 06:00"),
        (Rhythm(MONTHLY, SIX, day=1), "Every month on day 1 at 06:00"),
        (
            Rhythm(MONTHLY, SIX, day=31, business_days=True),
            "Every month on the last day, moved to a business day, at 06:00",
        ),
    ],
)
def test_a_rhythm_has_words(rhythm, words):
    assert rhythm.in_words == words


ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]


@given(
    st.builds(
        Rhythm,
        st.sampled_from([DAILY, WEEKLY, MONTHLY]),
        st.times().map(lambda time: time.replace(second=0, microsecond=0)),
        st.integers(0, 6),
        st.integers(1, 31),
        st.booleans(),
    ),
    st.sampled_from(ZONES),
    st.integers(0, 30 * 365 * 24 * 3600),
)
def test_the_next_one_always_comes_and_dues_are_the_nexts_in_a_row(rhythm, zone, seconds):
    zone, start = ZoneInfo(zone), utc(2005, 1, 1) + dt.timedelta(seconds=seconds)
    until, steps, at = start + dt.timedelta(days=100), [], start
    while (at := rhythm.next(zone, at)) <= until:
        steps.append(at)
    assert rhythm.due(zone, start, until) == steps
    months = {(each.astimezone(zone).year, each.astimezone(zone).month) for each in steps}
    if rhythm.every == MONTHLY:
        assert len(steps) == len(months) >= 3
