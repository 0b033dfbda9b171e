"""Trouble that nobody sees is told: a file that was not made and a mail that did not go out, to the owner
of the schedule; a schedule that rests for want of an owner who may export, to those who wait for its files.
"""

import datetime as dt
from collections.abc import Callable, Iterable

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from merchant import mailing
from merchant.models import User
from transactions.models import Export, Schedule, ScheduleMail, ScheduleRun
from transactions.scheduling import people

log = structlog.get_logger()

# What is older is in the history, and no news.
_NEWS = dt.timedelta(days=7)
_NOT_SENT = (ScheduleMail.State.FAILED, ScheduleMail.State.DROPPED)


def tell() -> None:
    """Write to the owners of schedules what has gone wrong since the last time, each thing once."""
    news = Q(told_at=None, created_at__gt=timezone.now() - _NEWS)
    failed = ScheduleRun.objects.filter(news, export__state=Export.State.FAILED)
    _each(_tell_of_file, failed)
    unsent = ScheduleRun.objects.filter(
        mails__told_at=None, mails__state__in=_NOT_SENT, created_at__gt=timezone.now() - _NEWS
    )
    _each(_tell_of_mails, unsent.distinct())


def tell_of_rest(schedule: Schedule) -> None:
    """Write to those who wait for its files that a schedule rests, and why."""
    wait = schedule.recipients.values_list("user_id", flat=True)
    for each in people.colleagues(schedule.merchant).filter(user__in=wait):
        _write(schedule, each.user, "rests", f"It rests: {schedule.name}")


def _each(tell_of: Callable[[int], None], runs: QuerySet[ScheduleRun]) -> None:
    for pk in runs.values_list("pk", flat=True):
        try:
            tell_of(pk)
        except Exception:
            # One that cannot be told holds no other one up.
            log.exception("trouble_not_told", run=pk)


def _tell_of_file(run_id: int) -> None:
    with transaction.atomic():
        run = _locked(run_id)
        if run is None or run.told_at:
            return  # somebody was faster
        run.told_at = timezone.now()
        run.save(update_fields=["told_at"])
        _tell_owner(run, "not_made", "No file")


def _tell_of_mails(run_id: int) -> None:
    with transaction.atomic():
        run = _locked(run_id)
        if run is None:
            return
        unsent = list(run.mails.filter(told_at=None, state__in=_NOT_SENT).select_related("user"))
        run.mails.filter(pk__in=[each.pk for each in unsent]).update(told_at=timezone.now())
        if news := [each for each in unsent if not _is_known(run, each)]:
            _tell_owner(run, "not_sent", "Not sent", news)


def _is_known(run: ScheduleRun, mail: ScheduleMail) -> bool:
    """Whether the owner has heard already that this person may not have the files any more."""
    before = ScheduleMail.objects.filter(run__schedule=run.schedule_id, user=mail.user_id)
    before = before.filter(state=ScheduleMail.State.DROPPED, error=mail.error).exclude(told_at=None)
    return mail.state == ScheduleMail.State.DROPPED and before.exclude(pk=mail.pk).exists()


def _locked(run_id: int) -> ScheduleRun | None:
    found = ScheduleRun.objects.select_for_update(of=("self",))
    return found.select_related("schedule__merchant", "schedule__owner", "export").filter(pk=run_id).first()


def _tell_owner(run: ScheduleRun, what: str, subject: str, mails: Iterable[ScheduleMail] = ()) -> None:
    """Nobody who has left hears of the merchant."""
    schedule = run.schedule
    if people.exporter(schedule.merchant, schedule.owner):
        with timezone.override(schedule.merchant.zone):
            due = f"{timezone.localtime(run.due_at):%Y-%m-%d}"
        _write(schedule, schedule.owner, what, f"{subject}: {schedule.name}, {due}", run=run, mails=mails)


def _write(schedule: Schedule, user: User, what: str, subject: str, **facts: object) -> None:
    facts |= {
        "schedule": schedule,
        "what": what,
        "link": settings.BASE_URL + reverse("transactions:schedule", args=[schedule.pk]),
    }
    with timezone.override(schedule.merchant.zone):
        text, html = (
            render_to_string(f"transactions/schedules/trouble.{kind}", facts) for kind in ("txt", "html")
        )
    mailing.keep(schedule.merchant, user.email, subject, text=text, html=html)
