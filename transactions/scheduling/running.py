"""What is due is begun: one run, one export and its mails, in one step of the database."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from merchant import audit
from merchant.access import Right, may
from merchant.models import Membership, User
from transactions.models import Export, Schedule, ScheduleMail, ScheduleRun
from transactions.scheduling import people, trouble

log = structlog.get_logger()

# As long as exports are told to be ours.
_HISTORY = Export.RECORD_LIFETIME


class NotAllowed(Exception):
    """Nothing can be begun; the message is for the person."""


def begin_due() -> Sequence[UUID]:
    """Begin what is due by now; the exports to make. Of several moments of one schedule that have passed,
    as after an outage, the newest is begun, which remembers the others as skipped.
    """
    now = timezone.now()
    ScheduleRun.objects.filter(created_at__lt=now - _HISTORY).delete()
    running = Schedule.objects.filter(paused="", begun_until__lt=now).select_related("merchant")
    begun = []
    for schedule in running:
        try:
            export = _begin(schedule.pk, now) if _due(schedule, now) else None
        except Exception:
            # One that cannot be begun holds no other one up.
            log.exception("schedule_not_begun", schedule=schedule.pk)
        else:
            begun += [export] if export else []
    return begun


def run_now(schedule: Schedule, membership: Membership) -> Export:
    """Begin a run that is due now. Raises NotAllowed while another one is under way, and for an owner who
    has lost the right.
    """
    with transaction.atomic():
        kept = _locked(schedule.pk)
        owner = people.exporter(kept.merchant, kept.owner) if kept else None
        if kept is None or owner is None:
            raise NotAllowed(_OWNER_GONE.format(schedule.owner))
        if kept.runs.filter(export__state__in=[Export.State.WAITING, Export.State.RUNNING]).exists():
            raise NotAllowed("It is running already: its file is being made.")
        export = _run(kept, owner, timezone.now(), [], membership.user)
        if export is None:
            raise NotAllowed("It is running already: its file is being made.")
    return export


_OWNER_GONE = "{} has left or may not export any more: save the schedule to have it run in your name."


def _due(schedule: Schedule, now: dt.datetime) -> list[dt.datetime]:
    return schedule.rhythm.due(schedule.merchant.zone, schedule.begun_until, now)


def _begin(schedule_id: int, now: dt.datetime) -> UUID | None:
    with transaction.atomic():
        schedule = _locked(schedule_id)
        due = _due(schedule, now) if schedule and not schedule.paused else []
        if schedule is None or not due:
            return None  # another clock was faster
        owner = people.exporter(schedule.merchant, schedule.owner)
        if owner is None:
            schedule.paused = _OWNER_GONE.format(schedule.owner)[:200]
            schedule.save(update_fields=["paused"])
            audit.record(schedule.merchant, None, "schedule.paused", schedule.pk, why=schedule.paused)
            trouble.tell_of_rest(schedule)
            return None
        schedule.begun_until = due[-1]
        schedule.save(update_fields=["begun_until"])
        export = _run(schedule, owner, due[-1], due[:-1], None)
    return export.pk if export else None


def _locked(schedule_id: int) -> Schedule | None:
    found = Schedule.objects.select_for_update(of=("self",)).select_related("merchant", "owner")
    return found.filter(pk=schedule_id).first()


def _run(
    schedule: Schedule,
    owner: Membership,
    due_at: dt.datetime,
    skipped: Sequence[dt.datetime],
    asked_by: User | None,
) -> Export | None:
    """The export of a new run; None if this moment has its run."""
    merchant = {"merchant": schedule.merchant}
    run, is_new = ScheduleRun.objects.get_or_create(
        schedule=schedule,
        due_at=due_at,
        defaults={**merchant, "asked_by": asked_by, "skipped": list(skipped)},
    )
    if not is_new:
        log.warning("schedule_has_run", schedule=schedule.pk, due=due_at.isoformat())
        return None
    run.export = Export.objects.create(
        **merchant,
        requested_by=schedule.owner,
        format=schedule.format,
        query=schedule.query,
        layout=schedule.layout,
        personal=may(owner, Right.PERSONAL) and people.may_be_personal(schedule, owner),
        seen_from=due_at,
    )
    run.save(update_fields=["export"])
    ScheduleMail.objects.bulk_create(
        ScheduleMail(**merchant, run=run, user_id=user, try_at=timezone.now())
        for user in schedule.recipients.values_list("user_id", flat=True)
    )
    said = {"schedule": schedule.pk, "due": due_at.isoformat(), "query": schedule.query}
    said |= {"skipped": [each.isoformat() for each in skipped]} if skipped else {}
    audit.record(schedule.merchant, asked_by, "export.requested", run.export.pk, **said)
    return run.export
