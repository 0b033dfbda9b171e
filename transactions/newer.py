"""Payments that came in since somebody looked."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from transactions.models import Transaction

LIMIT = 99


def mark(rows: Sequence[Mapping[str, Any]]) -> str:
    """The place of the newest of these rows, which are sorted newest first; "" when there are none."""
    return f"{rows[0]['created_at'].isoformat()}~{rows[0]['uuid']}" if rows else ""


def count(found: QuerySet[Transaction], seen: str) -> int:
    """How many of them are newer than the mark, LIMIT + 1 standing for more than LIMIT.

    Raises ValueError for a mark that is none.
    """
    if seen:
        instant_text, _, uuid_text = seen.partition("~")
        instant, uuid = dt.datetime.fromisoformat(instant_text).astimezone(dt.UTC), UUID(uuid_text)
        beyond = Q(created_at__gt=instant) | Q(created_at=instant, uuid__gt=uuid)
        # The first condition alone bounds the scan of the index.
        found = found.filter(beyond, created_at__gte=instant)
    return found.order_by("-created_at", "-uuid").values("pk")[: LIMIT + 1].count()
