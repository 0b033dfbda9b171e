"""Keyset pages: as quick on the last page as on the first, and steady while new rows arrive."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from transactions.models import Transaction

ORDERS = {
    "-date": ("created_at", True),
    "date": ("created_at", False),
    "-amount": ("charge_amount", True),
    "amount": ("charge_amount", False),
}
DEFAULT_ORDER = "-date"
LAST = "last"
_SMALLEST, _TOO_LARGE = Decimal("0.0001"), Decimal(10) ** 15


@dataclass(frozen=True)
class Page:
    """The rows of one page and the cursors of its neighbours ("" where there is none)."""

    rows: Sequence[dict[str, Any]]
    previous: str
    next: str


def ordered(queryset: QuerySet[Transaction], order: str) -> QuerySet[Transaction]:
    """The transactions in one of ORDERS, with the uuid to part equals; unknown orders mean newest first."""
    column, descending = ORDERS.get(order, ORDERS[DEFAULT_ORDER])
    sign = "-" if descending else ""
    return queryset.order_by(f"{sign}{column}", f"{sign}uuid")


def page(queryset: QuerySet[Transaction], order: str, cursor: str, size: int, columns: Sequence[str]) -> Page:
    """The page at `cursor`. A cursor that makes no sense means the first page."""
    column, descending = ORDERS.get(order, ORDERS[DEFAULT_ORDER])
    direction, _, position = cursor.partition("~")
    backwards = direction in ("before", LAST)
    condition = _beyond(column, position, descending=descending != backwards)
    if condition is None and direction != LAST:
        backwards = False
    selected = ordered(queryset, order)
    selected = selected.reverse() if backwards else selected
    rows = list(selected.filter(condition or Q()).values(*columns)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    elsewhere = condition is not None
    return Page(
        rows=rows,
        previous=_cursor("before", column, rows[0]) if rows and (more if backwards else elsewhere) else "",
        next=_cursor("after", column, rows[-1]) if rows and (elsewhere if backwards else more) else "",
    )


def neighbours(
    queryset: QuerySet[Transaction], order: str, entry: Transaction
) -> tuple[UUID | None, UUID | None]:
    """The transactions just before and after this one in the list, whether or not it is still in it."""
    column, _ = ORDERS.get(order, ORDERS[DEFAULT_ORDER])
    here = {column: getattr(entry, column), "uuid": entry.pk}
    before, after = (
        page(queryset, order, _cursor(direction, column, here), 1, ["uuid", column]).rows
        for direction in ("before", "after")
    )
    return (before[0]["uuid"] if before else None), (after[0]["uuid"] if after else None)


def _beyond(column: str, position: str, *, descending: bool) -> Q | None:
    """Rows that come after the position in this direction; None when it cannot be read."""
    value_text, _, uuid_text = position.partition("~")
    try:
        value, uuid = _READ[column](value_text), UUID(uuid_text)
    except (ValueError, ArithmeticError):
        return None
    sign = "lt" if descending else "gt"
    # The first condition alone bounds the scan of the index; the second parts rows of equal value.
    return Q(**{f"{column}__{sign}e": value}) & (
        Q(**{f"{column}__{sign}": value}) | Q(**{f"uuid__{sign}": uuid})
    )


def _instant(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant without a zone")
    return moment.astimezone(dt.UTC)


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    # What the column cannot hold was never in a cursor, and the database refuses to compare with it.
    if amount != amount.quantize(_SMALLEST) or abs(amount) >= _TOO_LARGE:
        raise ValueError("an amount that no row has")
    return amount


_READ: dict[str, Callable[[str], Any]] = {"created_at": _instant, "charge_amount": _amount}


def _cursor(direction: str, column: str, row: dict[str, Any]) -> str:
    value = row[column]
    text = value.isoformat() if isinstance(value, dt.datetime) else str(value)
    return f"{direction}~{text}~{row['uuid']}"
