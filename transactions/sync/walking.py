"""Ways through PaySuper's order list that miss nothing.

The list has no "changed since", pages by offset over a moving set and breaks ties at random (contract §5.5).
So we walk windows of creation time that are small enough for a few pages, oldest first, read a window again
when it gave less than it promised, and treat absence as nothing.
"""

import contextlib
import datetime as dt
import gc
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from merchant.paysuper.client import PAGE_SIZE, Client, Page

LARGEST_WINDOW = 4 * PAGE_SIZE
SHORTEST_WINDOW = dt.timedelta(seconds=2)
_COLLECT_AFTER = 200_000
_TURN = 0.0005


@dataclass(frozen=True)
class Step:
    """One page of a walk. `reached` is the instant up to which everything has been seen with it, or None."""

    page: Page
    reached: dt.datetime | None


def walk(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Step]:
    """All orders created from `since` to `until` (UTC, both included), window after window.

    While one page is written down, the next is on its way.
    """
    steps = _steps(client, since, until)
    with _two_at_work(), ThreadPoolExecutor(max_workers=1) as ahead:
        coming = ahead.submit(next, steps, None)
        while step := coming.result():
            coming = ahead.submit(next, steps, None)
            yield step


@contextlib.contextmanager
def _two_at_work() -> Iterator[None]:
    """Set the interpreter for one thread that reads and one that writes.

    Pages are trees of many small objects without cycles: the usual rhythm of the collector takes a quarter of
    a fill's time. And who writes comes back from the database often and for little, but would wait each time
    for the 5 ms that who reads may keep the interpreter.
    """
    rhythm, turn = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(_COLLECT_AFTER, *rhythm[1:])
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(turn)
        gc.set_threshold(*rhythm)


def _steps(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Step]:
    total = client.orders(since, until, limit=1).total
    if total > LARGEST_WINDOW and until - since > SHORTEST_WINDOW:
        parts = total // LARGEST_WINDOW + 1
        edges = [since + (until - since) * part / parts for part in range(parts + 1)]
        for start, end in pairwise(edges):
            yield from _steps(client, start, end)
        return
    seen: set[UUID | str] = set()
    for page in _pages(client, since, until):
        seen |= _names(page)
        whole = _is_last(page) and len(seen) >= page.total
        yield Step(page, until if whole else None)
    if not whole:
        # Something moved between the pages: what slipped through is in one of these.
        for page in _pages(client, since, until):
            yield Step(page, until if _is_last(page) else None)


def _pages(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Page]:
    page = client.orders(since, until)
    offset = page.received
    yield page
    while not _is_last(page):
        page = client.orders(since, until, offset=offset)
        offset += page.received
        yield page


def _is_last(page: Page) -> bool:
    return page.received < PAGE_SIZE


def _names(page: Page) -> set[UUID | str]:
    return {*(order.uuid for order in page.orders), *page.unreadable}
