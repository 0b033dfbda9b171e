"""Doorways from the broker: an id in, one call of the domain."""

import datetime as dt
from uuid import UUID

import structlog
from celery import shared_task
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from merchant import walls
from merchant.celery import ring
from merchant.models import Merchant
from merchant.paysuper.errors import PaySuperError
from transactions import exporting, scheduling, sync
from transactions.models import Export, ScheduleMail

log = structlog.get_logger()

SOON_SECONDS = 2.0
PROJECTS_EVERY = dt.timedelta(minutes=10)


@shared_task
def sync_all() -> None:
    """Ring for every merchant; each syncs in a task of its own so that none waits for another."""
    for pk in everybody():
        sync_merchant.delay(pk)


@shared_task
def sync_merchant(merchant_id: int) -> None:
    """Bring in what is new. The next round of the clock is the retry."""
    _sync(merchant_id, young=False)


def sync_soon(merchant_id: int) -> None:
    """Have a merchant synced in a moment: one task for all that ask meanwhile, however many webhooks come."""
    try:
        if not cache.add(f"sync-soon:{merchant_id}", "rung", SOON_SECONDS - 0.5):
            return
    except RedisError:
        return  # no broker either: the clock's next round brings the same
    sync_merchant.apply_async([merchant_id], countdown=SOON_SECONDS)


@shared_task
def rescan_all() -> None:
    """Ring for a turn of re-reading at every merchant."""
    for pk in everybody():
        rescan_merchant.delay(pk)


@shared_task
def rescan_merchant(merchant_id: int) -> None:
    """Read old news again for a while."""
    _sync(merchant_id, young=True)


@shared_task
def read_all_projects() -> None:
    """Ring for a look at the projects of every merchant whose last look is some time ago."""
    seen = Merchant.objects.filter(connection__succeeded_at__gte=timezone.now() - PROJECTS_EVERY)
    with walls.lifted():  # who there is
        late = list(Merchant.objects.exclude(pk__in=seen).values_list("pk", flat=True))
    for pk in late:
        read_projects.delay(pk)


@shared_task
def read_projects(merchant_id: int) -> None:
    """Look at a merchant's projects and token."""
    with walls.only(merchant_id):
        sync.read_projects(Merchant.objects.get(pk=merchant_id))


@shared_task
def make_export(export_id: str) -> None:
    """Make the file of an export."""
    with walls.only_of(Export, export_id):
        exporting.make(export_id)
        for mail in scheduling.ready_mails(UUID(export_id)):
            ring(send_schedule_mail, mail)


@shared_task
def sweep_exports() -> None:
    """Ring again for exports that nobody is working on, and drop the files that are too old."""
    with walls.lifted():  # whoever's they are
        for pk in exporting.waiting():
            make_export.delay(str(pk))
        exporting.expire()


@shared_task
def sweep_schedules() -> None:
    """Begin the schedules that are due, ring for their mails whose time has come, and tell of trouble."""
    with walls.lifted():  # whoever's they are
        for pk in scheduling.begin_due():
            ring(make_export, str(pk))
        for mail in scheduling.waiting_mails():
            ring(send_schedule_mail, mail)
        scheduling.tell_of_trouble()


# A mail is taken for lost after twelve minutes.
@shared_task(soft_time_limit=540, time_limit=600)
def send_schedule_mail(mail_id: int) -> None:
    """Send the mail of a run to one person."""
    with walls.only_of(ScheduleMail, mail_id):
        scheduling.send(mail_id)


def everybody() -> list[int]:
    """The ids of all merchants."""
    with walls.lifted():  # who there is
        return list(Merchant.objects.values_list("pk", flat=True))


def _sync(merchant_id: int, *, young: bool) -> None:
    with walls.only(merchant_id):
        merchant = Merchant.objects.get(pk=merchant_id)
        try:
            sync.rescan(merchant) if young else sync.sync(merchant)
        except sync.AlreadyRunning:
            log.info("sync_skipped", merchant=merchant.paysuper_id)
        except PaySuperError:
            pass  # kept and logged by sync; the next round tries again
