"""Periods of the list: presets that stay relative in the address, and days of the merchant's zone."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

PRESETS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "last_90_days": "Last 90 days",
    "this_week": "This week",
    "last_week": "Last week",
    "this_month": "This month",
    "last_month": "Last month",
    "this_quarter": "This quarter",
    "last_quarter": "Last quarter",
    "this_year": "This year",
    "last_year": "Last year",
}
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """From the first to the last day, both included; None means open at that end."""

    first: dt.date | None
    last: dt.date | None

    def bounds(self, zone: zoneinfo.ZoneInfo) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The instants from which on and before which something lies in these days of the zone."""
        after = self.last + _DAY if self.last and self.last < dt.date.max else None
        return _midnight(self.first, zone), _midnight(after, zone)

    @property
    def whole_months(self) -> "Days | None":
        """From the first day of the first whole month among these days to the last day of the last one."""
        first, last = self.first, self.last if self.last != dt.date.max else None
        if first and first > dt.date.max - 31 * _DAY:
            return None
        start = (first.replace(day=1) + 31 * _DAY).replace(day=1) if first and first.day > 1 else first
        end = (last + _DAY).replace(day=1) if last else None
        if end and (end == dt.date.min or (start and start >= end)):
            return None
        return Days(start, end - _DAY if end else None)


def preset(name: str, today: dt.date) -> Days:
    """The days that a preset means on the day `today`: what runs still ends today, a week begins on Monday.

    Raises KeyError for an unknown name.
    """
    week, month = today - today.weekday() * _DAY, today.replace(day=1)
    quarter, year = month.replace(month=(today.month - 1) // 3 * 3 + 1), month.replace(month=1)
    return {
        "today": Days(today, today),
        "yesterday": Days(today - _DAY, today - _DAY),
        "last_7_days": Days(today - 6 * _DAY, today),
        "last_30_days": Days(today - 29 * _DAY, today),
        "last_90_days": Days(today - 89 * _DAY, today),
        "this_week": Days(week, today),
        "last_week": Days(week - 7 * _DAY, week - _DAY),
        "this_month": Days(month, today),
        "last_month": Days((month - _DAY).replace(day=1), month - _DAY),
        "this_quarter": Days(quarter, today),
        "last_quarter": Days(_three_months_before(quarter), quarter - _DAY),
        "this_year": Days(year, today),
        "last_year": Days(year.replace(year=year.year - 1), year - _DAY),
    }[name]


def _three_months_before(quarter: dt.date) -> dt.date:
    if quarter.month == 1:
        return quarter.replace(year=quarter.year - 1, month=10)
    return quarter.replace(month=quarter.month - 3)


def _midnight(day: dt.date | None, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    return dt.datetime.combine(day, dt.time(), zone) if day else None
