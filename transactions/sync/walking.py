"""Ways through PaySuper's order list that miss nothing.

The list has no "changed since", pages by offset over a moving set and breaks ties at random (contract §5.5).
So we walk windows of creation time that are small enough for a few pages, oldest first, read a window again
when it gave less than it promised, and treat absence as nothing.
"""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

from merchant.paysuper.client import PAGE_SIZE, Client, Page

LARGEST_WINDOW = 4 * PAGE_SIZE
SHORTEST_WINDOW = dt.timedelta(seconds=2)


@dataclass(frozen=True)
class Step:
    """One page of a walk. `reached` is the instant up to which everything has been seen by now, or None.

    A page that only says how far the walk has got is empty.
    """

    page: Page
    reached: dt.datetime | None


def walk(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Step]:
    """All orders created from `since` to `until` (UTC, both included), window after window."""
    total = client.orders(since, until, limit=1).total
    if total > LARGEST_WINDOW and until - since > SHORTEST_WINDOW:
        parts = total // LARGEST_WINDOW + 1
        edges = [since + (until - since) * part / parts for part in range(parts + 1)]
        for start, end in pairwise(edges):
            yield from walk(client, start, end)
        return
    seen: set[str] = set()
    for page in _pages(client, since, until):
        seen |= _names(page)
        yield Step(page, None)
    if len(seen) < page.total:
        # Something moved between the pages: what slipped through is in one of these.
        for page in _pages(client, since, until):
            yield Step(page, None)
    yield Step(replace(page, orders=[], unreadable=[]), until)


def _pages(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Page]:
    """The pages of a window; while one is written down, the next is on its way."""
    with ThreadPoolExecutor(max_workers=1) as ahead:
        offset = 0
        coming = ahead.submit(client.orders, since, until)
        while True:
            page = coming.result()
            offset += page.received
            if page.received < PAGE_SIZE:
                yield page
                return
            coming = ahead.submit(client.orders, since, until, offset=offset)
            yield page


def _names(page: Page) -> set[str]:
    return {str(order.uuid) for order in page.orders} | set(page.unreadable)
