"""PostgreSQL as Django knows it, over lines on which nobody waits forever: for a replica (REPLICA_URL).

A server that hangs keeps its lines open: its machine takes what we send, and no answer ever comes. Its own
limits hang with it. So we count the seconds ourselves, give the line up, and read what we need elsewhere.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings

ENGINE = "merchant.patient"
# Seconds to connect, and for a machine that is gone to be missed (milliseconds in the last). A system that
# does not know one of these goes without.
_LINE = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
# The server ends a statement of the list by itself; what it says then has a second to arrive.
_ON_THE_WAY = 1.0
_seconds: ContextVar[float | None] = ContextVar("seconds_of_patience", default=None)


def database(source: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """What Django's DATABASES needs for the copy of `source` at this place."""
    both = {**source, **place}
    return {**both, "ENGINE": ENGINE, "OPTIONS": {**both.get("OPTIONS", {}), **_LINE}}


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Wait this long for each answer inside, in place of as long as a page may take."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def patience() -> float:
    """Seconds that an answer may take right now."""
    seconds = _seconds.get()
    return settings.LIST_STATEMENT_TIMEOUT + _ON_THE_WAY if seconds is None else seconds
