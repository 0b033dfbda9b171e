"""How far the worker of an export is. It lives in the cache, where it is also the worker's heartbeat."""

import time
from collections.abc import Callable
from uuid import UUID

from django.core.cache import cache

from transactions.models import Export

# A worker that has not moved for this long is dead: the export is taken over.
_DEAD_AFTER_SECONDS = 300
_SAY_EVERY_SECONDS = 0.5
# Before this much is done, an estimate is a guess.
_ESTIMATE_FROM = 0.02


class TakenAway(Exception):
    """The export was canceled or taken over: the worker stops and changes nothing."""


def begin(export_id: object) -> bool:
    """Whether nobody works on the export; from now on the caller does."""
    return bool(cache.add(_key(export_id), (0, 0, 0.0), _DEAD_AFTER_SECONDS))


def is_alive(export_id: UUID) -> bool:
    """Whether a worker has moved lately."""
    return cache.get(_key(export_id)) is not None


def forget(export_id: object) -> None:
    """Nobody works on it any more."""
    cache.delete(_key(export_id))


def of(export: Export) -> tuple[int, int]:
    """How many rows are done of how many; zeros while nothing is known."""
    done, total, _ = cache.get(_key(export.pk)) or (0, 0, 0.0)
    return done, total


def seconds_left(export: Export) -> int | None:
    """About how long it will still take, or None while nobody can tell."""
    done, total, passed = cache.get(_key(export.pk)) or (0, 0, 0.0)
    if not total or done < total * _ESTIMATE_FROM:
        return None
    return round(passed * (total - done) / done)


def teller(export: Export) -> Callable[[int, int], None]:
    """What a worker calls to say how far it is. Raises TakenAway once the export is not its any more."""
    said, began = 0.0, time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said < _SAY_EVERY_SECONDS:
            return
        said = now
        if not Export.objects.filter(
            pk=export.pk, state=Export.State.RUNNING, attempts=export.attempts
        ).exists():
            raise TakenAway
        cache.set(_key(export.pk), (done, total, now - began), _DEAD_AFTER_SECONDS)

    return tell


def _key(export_id: object) -> str:
    return f"export-progress:{export_id}"
