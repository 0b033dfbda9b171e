"""Lists, cards and exports may be read from a copy of the database that follows it (REPLICA_URL).

Here alone it is decided what is read where:

- PAGES and exports read MODELS from the replica, and everything else from the database itself, as all other
  pages do. Whoever has just done something reads the database for REPLICA_MAX_LAG seconds.
- A replica that is further behind than that, or does not answer, is not read; nor is one that breaks off or
  hangs in the middle: the page is made again from the database, and the replica left alone for a while.

How far it is behind is measured and not believed: we note how far the database's log had got at some moment,
and ask the replica whether it has come there. Its own figures say "nothing to do" when its line is cut.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import psycopg
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.models import Model

from merchant import patient

log = structlog.get_logger()

ALIAS = "replica"
PAGES = frozenset({"transactions:list", "transactions:figures", "transactions:newer", "transactions:card"})
# With the state of the sync: what a page says of its age is then the age of what it shows.
MODELS = frozenset(
    "transactions." + name
    for name in "transaction item raworder statuschange dailytotal monthlytotal syncstate".split()
)
# Seconds between two looks, for which a look may last, and for which a replica that failed is left alone.
_LOOK_EVERY, _LOOK_LASTS, _LEFT_ALONE = 0.5, 2.0, 30.0
_TROUBLE = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
_HERE = "SELECT clock_timestamp(), pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
_THERE = """SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn, pg_last_xact_replay_timestamp()
    WHERE pg_is_in_recovery()"""

Result = TypeVar("Result")
_reading: ContextVar[bool] = ContextVar("reading_replica", default=False)


@dataclass(frozen=True)
class Mark:
    """How far the database's log had got `at` an instant of its clock, which was `seen` by ours."""

    seen: float
    at: datetime
    place: Decimal


class Watch:
    """What this process knows of the replica."""

    def __init__(self) -> None:
        self.marks: deque[Mark] = deque()
        self.reached: Mark | None = None
        self.behind: float | None = None
        self.next_look = 0.0
        self.lock = threading.Lock()

    def fresh(self) -> Mark | None:
        """The newest mark that the replica has surely reached, unless it is older than REPLICA_MAX_LAG."""
        # One looks, the others go by what is known.
        if time.monotonic() >= self.next_look and self.lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self.lock.release()
        reached = self.reached
        return reached if reached and time.monotonic() - reached.seen <= settings.REPLICA_MAX_LAG else None

    def failed(self, error: BaseException) -> None:
        """Leave the replica alone for a while."""
        log.warning("replica_failed", error=type(error).__name__)
        self.reached = self.behind = None
        self.next_look = time.monotonic() + _LEFT_ALONE
        connections[ALIAS].close()

    def _look(self) -> None:
        self.next_look = time.monotonic() + _LOOK_EVERY
        seen = time.monotonic()
        newest = Mark(seen, *_asked(DEFAULT_DB_ALIAS, _HERE))
        self.marks.append(newest)
        try:
            with patient.waiting(_LOOK_LASTS):
                place, committed_at = _asked(ALIAS, _THERE)
        except _TROUBLE as error:
            self.failed(error)
            return
        if place is None:  # it follows nobody any more
            self.reached = self.behind = None
            return
        while self.marks and self.marks[0].place <= place:
            self.reached = self.marks.popleft()
        self.behind = _seconds_behind(newest, self.reached, committed_at)
        while self.marks and seen - self.marks[0].seen > settings.REPLICA_MAX_LAG:
            self.marks.popleft()


def _seconds_behind(newest: Mark, reached: Mark | None, committed_at: datetime | None) -> float:
    """Since the later of the two moments of which it has everything, by the database's own clock.

    The newest commit alone would not do: a quiet database makes none for hours, which is no lag.
    """
    if reached == newest:
        return 0.0
    known = [moment for moment in (reached and reached.at, committed_at) if moment]
    return max((newest.at - max(known)).total_seconds(), 0.0) if known else math.inf


watch = Watch()


def preferably(work: Callable[[], Result], again: tuple[type[Exception], ...] = ()) -> Result:
    """What `work` gives, with the replica read where it can be; from the database when that fails.

    `again` are further exceptions of which the database has the last word.
    """
    if not is_set_up() or watch.fresh() is None:
        return work()
    try:
        with _from_replica():
            return work()
    except again:
        return work()
    except _TROUBLE as error:
        watch.failed(error)
        return work()


def is_read() -> bool:
    """Whether MODELS are read from the replica right now."""
    return _reading.get()


def aliases() -> tuple[str, ...]:
    """The databases that are read right now."""
    return (DEFAULT_DB_ALIAS, ALIAS) if is_read() else (DEFAULT_DB_ALIAS,)


def complete_as_of() -> datetime | None:
    """An instant (UTC) of which the replica has everything; None when that is too long ago."""
    mark = watch.fresh()
    return mark.at if mark else None


def is_set_up() -> bool:
    """Whether there is one at all."""
    return ALIAS in connections.settings


def lag() -> float | None:
    """Seconds that the replica is behind the database at most, and 0 when it lacks nothing.

    Infinite while nobody knows; None when it does not answer, or follows nobody.
    """
    watch.fresh()
    return watch.behind


class Router:
    """Reads of MODELS go where `preferably` says; everything else to the database."""

    def db_for_read(self, model: type[Model], **_: Any) -> str:
        """Also for rows that belong to a row of the replica."""
        label = model._meta.label_lower  # noqa: SLF001 - Django calls it its public face
        return ALIAS if is_read() and label in MODELS else DEFAULT_DB_ALIAS

    def db_for_write(self, _model: type[Model], **_: Any) -> str:
        """Nobody writes to a replica."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, *_: Any, **__: Any) -> bool:
        """Rows of both are of one database."""
        return True

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool:
        """A replica migrates by following."""
        return db != ALIAS


@contextmanager
def _from_replica() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def _asked(alias: str, question: str) -> tuple[Any, Any]:
    """Both values of the answer's row; None where there is none."""
    with connections[alias].cursor() as cursor:
        cursor.execute(question)
        answer: tuple[Any, Any] | None = cursor.fetchone()
    return answer or (None, None)
