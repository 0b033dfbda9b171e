"""Pages of what was written down, newest first, by keyset: steady while new rows arrive."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

SIZE = 50
_LARGEST = 2**63 - 1
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page and the cursors of its neighbours ("" where there is none)."""

    rows: Sequence[Row]
    newer: str
    older: str


def page(found: QuerySet[Row], cursor: str, by: str = "") -> Page[Row]:
    """The page at `cursor` by the moment in the column `by` and the number of the row, or by that alone.

    A cursor that makes no sense means the first page.
    """
    direction, _, position = cursor.partition("~")
    backwards, beyond = direction == "newer", None
    if direction in ("newer", "older"):
        beyond = _beyond(position, by, newer=backwards)
    if beyond is None:
        backwards = False
    columns = [by, "pk"] if by else ["pk"]
    order = columns if backwards else [f"-{each}" for each in columns]
    rows = list(found.filter(beyond or Q()).order_by(*order)[: SIZE + 1])
    more, rows = len(rows) > SIZE, rows[:SIZE]
    if backwards:
        rows.reverse()
    has_newer, has_older = (more, True) if backwards else (beyond is not None, more)
    return Page(
        rows,
        newer=_cursor("newer", rows[0], by) if rows and has_newer else "",
        older=_cursor("older", rows[-1], by) if rows and has_older else "",
    )


def _beyond(position: str, by: str, *, newer: bool) -> Q | None:
    moment_text, _, number = position.rpartition("~")
    if not (number.isascii() and number.isdigit()) or bool(moment_text) != bool(by):
        return None
    pk, sign = int(number[:20]), "gt" if newer else "lt"
    if pk > _LARGEST:
        return None
    if not by:
        return Q(**{f"pk__{sign}": pk})
    try:
        moment = dt.datetime.fromisoformat(moment_text)
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    # The first condition alone bounds the scan of the index; the second parts rows of the same moment.
    return Q(**{f"{by}__{sign}e": moment}) & (Q(**{f"{by}__{sign}": moment}) | Q(**{f"pk__{sign}": pk}))


def _cursor(direction: str, row: Any, by: str) -> str:
    return f"{direction}~{getattr(row, by).isoformat()}~{row.pk}" if by else f"{direction}~{row.pk}"
