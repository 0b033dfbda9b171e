"""Pages of the log, newest first, by keyset: steady while new events arrive."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from fulfillment.models import WebhookEvent

SIZE = 50
_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Page:
    """The events of one page and the cursors of its neighbours ("" where there is none)."""

    events: Sequence[WebhookEvent]
    newer: str
    older: str


def page(events: QuerySet[WebhookEvent], cursor: str) -> Page:
    """The page at `cursor`. A cursor that makes no sense means the first page."""
    direction, _, position = cursor.partition("~")
    backwards, beyond = direction == "newer", None
    if direction in ("newer", "older"):
        beyond = _beyond(position, newer=backwards)
    if beyond is None:
        backwards = False
    order = ("last_received_at", "pk") if backwards else ("-last_received_at", "-pk")
    rows = list(events.filter(beyond or Q()).order_by(*order)[: SIZE + 1])
    more, rows = len(rows) > SIZE, rows[:SIZE]
    if backwards:
        rows.reverse()
    has_newer, has_older = (more, True) if backwards else (beyond is not None, more)
    return Page(
        rows,
        newer=_cursor("newer", rows[0]) if rows and has_newer else "",
        older=_cursor("older", rows[-1]) if rows and has_older else "",
    )


def _beyond(position: str, *, newer: bool) -> Q | None:
    moment_text, _, pk_text = position.partition("~")
    try:
        moment, pk = dt.datetime.fromisoformat(moment_text), int(pk_text)
        moment = moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    if not 0 <= pk <= _LARGEST:
        return None
    sign = "gt" if newer else "lt"
    # The first condition alone bounds the scan of the index; the second parts rows of the same moment.
    return Q(**{f"last_received_at__{sign}e": moment}) & (
        Q(**{f"last_received_at__{sign}": moment}) | Q(**{f"pk__{sign}": pk})
    )


def _cursor(direction: str, event: WebhookEvent) -> str:
    return f"{direction}~{event.last_received_at.isoformat()}~{event.pk}"
