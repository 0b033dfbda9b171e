"""When something that repeats is due: times of a local clock, as instants."""

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
_DAY = dt.timedelta(days=1)
_SATURDAY = 5
# In so many days everything is due at least once.
_LONGEST_WAIT = 70


@dataclass(frozen=True)
class Rhythm:
    """Every day, every week on `weekday` (0 is Monday) or every month on `day`, at a time of the local clock.

    A month that has no such day has its last one instead. On business days, Monday to Friday, a daily rhythm
    rests at weekends; a monthly one moves to the Monday after, or to the Friday before where that would be
    another month.
    """

    every: str
    at: dt.time
    weekday: int = 0
    day: int = 1
    business_days: bool = False

    @property
    def in_words(self) -> str:
        """The rhythm as people say it."""
        at = f"at {self.at:%H:%M}"
        if self.every == WEEKLY:
            return f"Every {calendar.day_name[self.weekday]} {at}"
        if self.every == DAILY:
            return f"Monday to Friday {at}" if self.business_days else f"Every day {at}"
        which = "the last day" if self.day >= 31 else f"day {self.day}"  # noqa: PLR2004 - of a month
        return f"Every month on {which}{', moved to a business day,' if self.business_days else ''} {at}"

    def due(self, zone: ZoneInfo, after: dt.datetime, until: dt.datetime) -> list[dt.datetime]:
        """All instants after the one and up to the other, in UTC, the newest last.

        A local time that the clock skips is due when the clock has skipped it, one that it shows twice the
        first time only.
        """
        # A skipped day is due on the next.
        first, last = (each.astimezone(zone).date() for each in (after - _DAY, until))
        found = {_instant(day, self.at, zone) for day in _dates(first, last) if self._falls_on(day)}
        return sorted(instant for instant in found if after < instant <= until)

    def next(self, zone: ZoneInfo, after: dt.datetime) -> dt.datetime:
        """The first instant after this one."""
        return self.due(zone, after, after + _LONGEST_WAIT * _DAY)[0]

    def _falls_on(self, day: dt.date) -> bool:
        match self.every:
            case "daily":
                return not self.business_days or day.weekday() < _SATURDAY
            case "weekly":
                return day.weekday() == self.weekday
            case _:
                return day == self._of_month(day)

    def _of_month(self, month: dt.date) -> dt.date:
        longest = calendar.monthrange(month.year, month.month)[1]
        day = month.replace(day=min(self.day, longest))
        if not self.business_days or day.weekday() < _SATURDAY:
            return day
        monday = day + (7 - day.weekday()) * _DAY
        return monday if monday.month == day.month else day - (day.weekday() - 4) * _DAY


def _dates(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return map(dt.date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _instant(day: dt.date, at: dt.time, zone: ZoneInfo) -> dt.datetime:
    shown = dt.datetime.combine(day, at)
    instant = shown.replace(tzinfo=zone).astimezone(dt.UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == shown:
        return instant
    # Skipped: the clock jumps between what the new and what the old offset make of it.
    before, after = shown.replace(tzinfo=zone, fold=1).astimezone(dt.UTC), instant
    old = before.astimezone(zone).utcoffset()
    while (seconds := (after - before) // dt.timedelta(seconds=1)) > 1:
        middle = before + dt.timedelta(seconds=seconds // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
