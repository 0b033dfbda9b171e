"""Brings PaySuper's orders into the mirror: first fill, increments, re-reads, and the proof of equality.

The order list has no "changed since", pages by offset over a moving set and breaks ties at random
(contract §5.5). So we walk windows of creation time that are small enough for a few pages, oldest first,
and treat absence as nothing.
"""

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.db import connection
from django.utils import timezone

from merchant.models import Merchant
from merchant.paysuper.client import PAGE_SIZE, Client, Page, Patience
from merchant.paysuper.errors import NotFound, PaySuperError
from transactions import mirror
from transactions.models import SyncState, Transaction

log = structlog.get_logger()

# Orders become visible a little late and clocks differ: every increment looks back this far again.
OVERLAP = dt.timedelta(minutes=10)
# Orders younger than this are read again and again, since nothing tells of a change (contract §20.5).
YOUNG = dt.timedelta(days=3)
LARGEST_WINDOW = 4 * PAGE_SIZE
SHORTEST_WINDOW = dt.timedelta(seconds=2)
_SYNC_LOCK = 20_481


class AlreadyRunning(Exception):
    """Another sync of this merchant is under way."""


@dataclass
class Report:
    """What a sync did."""

    read: int = 0
    added: set[UUID] = field(default_factory=set)
    changed: set[UUID] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)

    def note(self, page: Page, applied: mirror.Applied) -> None:
        """Count one page."""
        self.read += len(page.orders)
        self.added |= applied.added
        self.changed |= applied.changed
        self.unreadable += page.unreadable


def client_for(merchant: Merchant, patience: Patience = Patience()) -> Client:  # noqa: B008 - frozen
    """The line to PaySuper with this merchant's own credentials."""
    return Client(merchant.api_url, merchant.api_token, patience=patience)


def sync(
    merchant: Merchant,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    full: bool = False,
) -> Report:
    """Read all orders created from `since` to `until` (UTC) into the mirror.

    Without `since`: from where the last sync stopped, or from the first order when `full` or never synced.
    Raises AlreadyRunning, and PaySuperError when PaySuper cannot be read; what was read until then is kept.
    """
    state, _ = SyncState.objects.get_or_create(merchant=merchant)
    report = Report()
    with _only_one(merchant):
        try:
            with client_for(merchant) as client:
                _sync(client, merchant, state, since, until, report, full=full)
        except PaySuperError as error:
            SyncState.objects.filter(pk=state.pk).update(failed_at=timezone.now(), error=str(error)[:300])
            log.warning("sync_failed", merchant=merchant.paysuper_id, status=error.status, code=error.code)
            raise
    return report


def refresh(merchant: Merchant, uuid: UUID) -> mirror.Applied:
    """Read one order again. Raises NotFound and the rest of the PaySuperError tree."""
    asked_at = timezone.now()
    with client_for(merchant) as client:
        order = client.order(uuid)
    return mirror.apply(merchant, [order], asked_at)


def rescan(merchant: Merchant) -> Report:
    """Read the young orders again: statuses change without a word when a webhook is lost."""
    return sync(merchant, since=timezone.now() - YOUNG)


def drift(merchant: Merchant) -> Iterator[str]:
    """Every difference between the source and the mirror, in words. Nothing when they are equal.

    A difference that a second, direct reading of the order does not confirm was only news on its way.
    """
    seen: set[UUID] = set()
    with client_for(merchant) as client:
        for page in _pages(client, _beginning(client) - OVERLAP, timezone.now()):
            yield from page.unreadable
            seen.update(order.uuid for order in page.orders)
            suspects = mirror.differences(merchant, page.orders)
            again = [client.order(uuid) for uuid in suspects]
            yield from (f"{uuid}: {words}" for uuid, words in mirror.differences(merchant, again).items())
        kept = Transaction.objects.filter(merchant=merchant).values_list("uuid", flat=True)
        missing = [uuid for uuid in kept if uuid not in seen and not _exists(client, uuid)]
    yield from (f"{uuid}: in the mirror, not at PaySuper" for uuid in missing)


def _sync(
    client: Client,
    merchant: Merchant,
    state: SyncState,
    since: dt.datetime | None,
    until: dt.datetime | None,
    report: Report,
    *,
    full: bool,
) -> None:
    started = timezone.now()
    _sync_projects(client, merchant)
    start = since or (None if full else state.synced_until) or _beginning(client)
    for page in _pages(client, start - OVERLAP, until or started):
        report.note(page, mirror.apply(merchant, page.orders, page.asked_at))
    done = {"succeeded_at": timezone.now(), "error": ""}
    # A walk that began later than the last one ended leaves a gap: only the next ordinary sync closes it.
    if until is None and (since is None or (state.synced_until and since <= state.synced_until)):
        done["synced_until"] = started
    SyncState.objects.filter(pk=state.pk).update(**done)
    log.info("synced", merchant=merchant.paysuper_id, read=report.read, added=len(report.added))
    if report.unreadable:
        log.warning("unreadable", merchant=merchant.paysuper_id, orders=report.unreadable[:20])


def _sync_projects(client: Client, merchant: Merchant) -> None:
    for project in client.projects():
        mirror.update_project(merchant, project.id, project.name)


def _exists(client: Client, uuid: UUID) -> bool:
    try:
        client.order(uuid)
    except NotFound:
        return False
    return True


def _beginning(client: Client) -> dt.datetime:
    return client.beginning() or timezone.now()


def _pages(client: Client, since: dt.datetime, until: dt.datetime) -> Iterator[Page]:
    """All pages from `since` to `until`; windows that hold too many orders are halved."""
    first = client.orders(since, until)
    if first.total > LARGEST_WINDOW and until - since > SHORTEST_WINDOW:
        middle = since + (until - since) / 2
        yield from _pages(client, since, middle)
        yield from _pages(client, middle, until)
        return
    yield first
    offset = received = first.received
    while received == PAGE_SIZE:
        page = client.orders(since, until, offset=offset)
        yield page
        received = page.received
        offset += received


@contextlib.contextmanager
def _only_one(merchant: Merchant) -> Iterator[None]:
    # A lock of the database also holds between machines, and ends with its connection.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_SYNC_LOCK, merchant.pk])
        if cursor.fetchone() != (True,):
            raise AlreadyRunning("A sync of this merchant is already running.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_SYNC_LOCK, merchant.pk])
