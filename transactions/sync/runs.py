"""Syncs of one merchant: the first fill, increments, and slow re-reading."""

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Client, Page
from merchant.paysuper.errors import PaySuperError
from transactions import mirror
from transactions.models import StatusChange, SyncState, Walk
from transactions.sync.turns import alone
from transactions.sync.walking import walk

log = structlog.get_logger()

# Orders become visible a little late and clocks differ: every increment looks back this far again.
OVERLAP = dt.timedelta(minutes=10)
# Nothing tells of a change: young orders are read again often, old ones seldom, since chargebacks come
# after months (contract §20.5). Days of age → how often.
RESCANS = {
    3: dt.timedelta(hours=1),
    30: dt.timedelta(days=1),
    400: dt.timedelta(days=7),
}
_FILL = "fill"

Progress = Callable[[int, int], None]


@dataclass
class Report:
    """What a sync did, in numbers of orders: a fill may bring millions."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unreadable: list[str] = field(default_factory=list)

    def note(self, page: Page, applied: mirror.Applied) -> None:
        """Count one page."""
        self.read += len(page.orders)
        self.added += len(applied.added)
        self.changed += len(applied.changed)
        self.unreadable += page.unreadable


def _unheard(read: int, total: int) -> None:
    """Progress that nobody asked for."""


def sync(
    merchant: Merchant,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    full: bool = False,
    progress: Progress = _unheard,
) -> Report:
    """Read all orders created from `since` to `until` (UTC) into the mirror.

    Without either: what is new since the last sync; everything when `full` or never filled, and then from
    where a fill that was broken off had got to. Raises AlreadyRunning, and PaySuperError when PaySuper
    cannot be read; what was read until then is kept.
    """
    with _running(merchant) as state, line.client(merchant) as client:
        for project in client.projects():
            mirror.update_project(merchant, project.id, project.name, project.merchant_id)
        if since or until:
            start = since or state.synced_until or _beginning(client)
            report = _plain(client, merchant, start, until or timezone.now())
        elif full or state.synced_until is None:
            report = _fill(client, merchant, progress)
        else:
            report = _increment(client, merchant, state.synced_until)
    return _told(merchant, report)


def rescan(merchant: Merchant, seconds: float = 20.0) -> Report:
    """Read old news again for a while: the walk of RESCANS that is most overdue, from where it had got to.

    A short turn leaves room for the increments in between. Raises as sync does.
    """
    report, days = Report(), _overdue(merchant)
    if days is None:
        # Nothing is asked, so nothing is known: a PaySuper that is down must not look well.
        return report
    with _running(merchant), line.client(merchant) as client:
        deadline = time.monotonic() + seconds
        _resume(client, merchant, _rescan_walk(merchant, days), report, deadline=deadline)
    return _told(merchant, report)


def refresh(
    merchant: Merchant, uuid: UUID, cause: StatusChange.Cause = StatusChange.Cause.READING
) -> mirror.Applied:
    """Read one order again, for this cause. Raises NotFound and the rest of the PaySuperError tree."""
    asked_at = timezone.now()
    with line.client(merchant) as client:
        order = client.order(uuid)
    return mirror.apply(merchant, [order], asked_at, cause)


def _plain(client: Client, merchant: Merchant, since: dt.datetime, until: dt.datetime) -> Report:
    report = Report()
    for step in walk(client, since - OVERLAP, until):
        report.note(step.page, mirror.apply(merchant, step.page.orders, step.page.asked_at))
    return report


def _increment(client: Client, merchant: Merchant, synced_until: dt.datetime) -> Report:
    now = timezone.now()
    report = _plain(client, merchant, synced_until, now)
    SyncState.objects.filter(merchant=merchant).update(synced_until=now)
    return report


def _fill(client: Client, merchant: Merchant, progress: Progress) -> Report:
    report, now = Report(), timezone.now()
    unfinished = Walk.objects.filter(merchant=merchant, name=_FILL, finished_at=None).first()
    way = unfinished or _begin(merchant, _FILL, _beginning(client) - OVERLAP, now)
    _resume(client, merchant, way, report, progress=progress)
    SyncState.objects.filter(merchant=merchant).update(synced_until=way.until)
    return report


def _begin(merchant: Merchant, name: str, since: dt.datetime, until: dt.datetime) -> Walk:
    fresh = {"since": since, "reached": since, "until": until, "read": 0, "total": 0}
    fresh |= {"began_at": timezone.now(), "finished_at": None}
    return Walk.objects.update_or_create(merchant=merchant, name=name, defaults=fresh)[0]


def _resume(
    client: Client,
    merchant: Merchant,
    way: Walk,
    report: Report,
    *,
    progress: Progress = _unheard,
    deadline: float | None = None,
) -> None:
    """Go on with a walk, keeping how far it has got after every window, until it ends or time is up."""
    if not way.total:
        way.total = client.orders(way.since, way.until, limit=1).total
    for step in walk(client, way.reached, way.until):
        report.note(step.page, mirror.apply(merchant, step.page.orders, step.page.asked_at))
        way.read += step.page.received
        progress(min(way.read, way.total), way.total)
        if step.reached:
            way.reached = step.reached
            way.finished_at = timezone.now() if step.reached >= way.until else None
            way.save()
            if deadline and time.monotonic() > deadline:
                return


def _overdue(merchant: Merchant) -> int | None:
    if not SyncState.objects.filter(merchant=merchant, synced_until__isnull=False).exists():
        return None
    now, walks = timezone.now(), {way.name: way for way in merchant.walks.all()}
    for days, pause in RESCANS.items():
        way = walks.get(f"rescan-{days}")
        if way is None or way.finished_at is None or way.began_at + pause <= now:
            return days
    return None


def _rescan_walk(merchant: Merchant, days: int) -> Walk:
    name, now = f"rescan-{days}", timezone.now()
    unfinished = Walk.objects.filter(merchant=merchant, name=name, finished_at=None).first()
    return unfinished or _begin(merchant, name, now - dt.timedelta(days=days), now)


def _beginning(client: Client) -> dt.datetime:
    return client.beginning() or timezone.now()


@contextlib.contextmanager
def _running(merchant: Merchant) -> Iterator[SyncState]:
    """The merchant's state while nobody else syncs it; notes how it went. Raises AlreadyRunning."""
    with alone(merchant):
        try:
            mirror.keep_days(merchant)
            yield SyncState.objects.get_or_create(merchant=merchant)[0]
            _note(merchant, succeeded_at=timezone.now(), error="")
        except PaySuperError as error:
            _note(merchant, failed_at=timezone.now(), error=str(error)[:300])
            log.warning("sync_failed", merchant=merchant.paysuper_id, status=error.status, code=error.code)
            raise


def _told(merchant: Merchant, report: Report) -> Report:
    counts = {"read": report.read, "added": report.added, "changed": report.changed}
    log.info("synced", merchant=merchant.paysuper_id, **counts)
    if report.unreadable:
        log.warning("unreadable", merchant=merchant.paysuper_id, orders=report.unreadable[:20])
    return report


def _note(merchant: Merchant, **values: object) -> None:
    SyncState.objects.filter(merchant=merchant).update(**values)
