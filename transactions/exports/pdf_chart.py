"""The chart of a report: amounts per day, month or year, one small picture a currency, drawn as SVG."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.template.defaultfilters import date as in_words

from merchant.money import display
from transactions.exports.amounts import rounded
from transactions.exports.report import Report

# Millimetres, as the template has them.
WIDTH, HEIGHT = 130, 22
_MOST_BARS = 62
_MOST_CURRENCIES = 4
_DAY, _MONTH, _YEAR = "day", "month", "year"
_FORMATS = {_DAY: "j M Y", _MONTH: "M Y", _YEAR: "Y"}

Amounts = dict[date, Decimal]


@dataclass(frozen=True)
class Bar:
    """A bar of the amount of one day, month or year; downwards for a negative one."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Chart:
    """The bars of a currency, what the highest one stands for, and the first and the last time, in words."""

    currency: str
    highest: str
    lowest: str
    first: str
    last: str
    bars: tuple[Bar, ...]
    axis: float


@dataclass(frozen=True)
class Charts:
    """Charts of the rows of one status, the most frequent one, by `unit`; `others` are currencies without."""

    status: str
    unit: str
    shown: tuple[Chart, ...]
    others: int


def charts(report: Report) -> Charts | None:
    """The charts of a report, none for one without rows or with all of them on the same day."""
    statuses, currencies = Counter[str](), Counter[str]()
    for each in report.sums:
        statuses[each.status] += each.count
    if not statuses:
        return None
    status = statuses.most_common(1)[0][0]
    for each in report.sums:
        if each.status == status and each.currency:
            currencies[each.currency] += each.count
    found = _by_day(report, status)
    days = [day for amounts in found.values() for day in amounts]
    if len(set(days)) < 2:  # noqa: PLR2004 - one bar is no chart
        return None
    unit = _unit(min(days), max(days))
    times = list(_times(min(days), max(days), unit))
    shown = [name for name, _ in currencies.most_common(_MOST_CURRENCIES)]
    drawn = tuple(_chart(name, _rolled(found[name], unit), times, unit) for name in shown)
    return Charts(status, unit, drawn, len(currencies) - len(shown))


def _by_day(report: Report, status: str) -> dict[str, Amounts]:
    """Amounts by currency and day in the zone of the report."""
    amount = f"sum({rounded('charge', 'charge_currency')})"
    select = report.source.select(['"charge_currency"', '"local"::date', amount])
    sql = f"""{select} WHERE "status" = %s AND "charge_currency" <> '' GROUP BY 1, 2 ORDER BY 1, 2"""
    found: dict[str, Amounts] = defaultdict(dict)
    with report.connection.cursor() as cursor:
        cursor.execute(sql, (*report.source.params, status))
        for currency, day, amount in cursor:
            found[currency][day] = amount
    return found


def _unit(first: date, last: date) -> str:
    if (last - first).days < _MOST_BARS:
        return _DAY
    return _MONTH if _months(last) - _months(first) < _MOST_BARS else _YEAR


def _months(day: date) -> int:
    return day.year * 12 + day.month - 1


def _times(first: date, last: date, unit: str) -> Iterator[date]:
    """Every day, or the first day of every month or year, also of those without rows."""
    match unit:
        case "day":
            yield from map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
        case "month":
            yield from (date(n // 12, n % 12 + 1, 1) for n in range(_months(first), _months(last) + 1))
        case _:
            yield from (date(year, 1, 1) for year in range(first.year, last.year + 1))


def _rolled(amounts: Amounts, unit: str) -> Amounts:
    rolled: Amounts = defaultdict(Decimal)
    for day, amount in amounts.items():
        start = day if unit == _DAY else day.replace(day=1)
        rolled[start.replace(month=1) if unit == _YEAR else start] += amount
    return rolled


def _chart(currency: str, amounts: Amounts, times: list[date], unit: str) -> Chart:
    values = [amounts.get(time, Decimal(0)) for time in times]
    top, bottom = max(*values, Decimal(0)), min(*values, Decimal(0))
    scale = HEIGHT / float(top - bottom or 1)
    axis, step = float(top) * scale, WIDTH / len(times)
    bars = tuple(
        Bar(round(number * step, 3), round(axis - max(size, 0), 3), round(step * 0.8, 3), round(abs(size), 3))
        for number, size in enumerate(float(value) * scale for value in values)
        if size
    )
    return Chart(
        currency,
        display(top, currency),
        display(bottom, currency) if bottom else "",
        in_words(times[0], _FORMATS[unit]),
        in_words(times[-1], _FORMATS[unit]),
        bars,
        round(axis, 3),
    )
