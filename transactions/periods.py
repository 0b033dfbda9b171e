"""Periods of the list: presets that stay relative in the address, and days of the merchant's zone."""

import datetime as dt
import zoneinfo
from dataclasses import dataclass

PRESETS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "this_month": "This month",
    "last_month": "Last month",
    "this_year": "This year",
}


@dataclass(frozen=True)
class Days:
    """From the first to the last day, both included; None means open at that end."""

    first: dt.date | None
    last: dt.date | None

    def bounds(self, zone: zoneinfo.ZoneInfo) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The instants from which on and before which something lies in these days of the zone."""
        after = self.last + dt.timedelta(days=1) if self.last and self.last < dt.date.max else None
        return _midnight(self.first, zone), _midnight(after, zone)


def preset(name: str, today: dt.date) -> Days:
    """The days that a preset means on the day `today`. Raises KeyError for an unknown name."""
    day = dt.timedelta(days=1)
    month = today.replace(day=1)
    return {
        "today": Days(today, today),
        "yesterday": Days(today - day, today - day),
        "last_7_days": Days(today - 6 * day, today),
        "last_30_days": Days(today - 29 * day, today),
        "this_month": Days(month, today),
        "last_month": Days((month - day).replace(day=1), month - day),
        "this_year": Days(today.replace(month=1, day=1), today),
    }[name]


def _midnight(day: dt.date | None, zone: zoneinfo.ZoneInfo) -> dt.datetime | None:
    return dt.datetime.combine(day, dt.time(), zone) if day else None
