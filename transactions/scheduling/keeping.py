"""Schedules are made, changed, paused and deleted; each act is audited with the change."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from merchant import audit
from merchant.models import Membership
from transactions.models import Schedule, ScheduleRecipient

MOST = 50
_RHYTHM = ("every", "at", "weekday", "day", "business_days")


class NotKept(ValueError):
    """The schedule cannot be kept; the message is for the person."""


def save(
    membership: Membership, values: Mapping[str, Any], recipients: Iterable[int], schedule: Schedule | None
) -> Schedule:
    """Keep a new schedule, or a known one with these values and recipients (ids of users).

    From now on it runs in the name of this member. After a change of its rhythm only what is due from now
    on counts. Raises NotKept for too many.
    """
    now = timezone.now()
    with transaction.atomic():
        if schedule is None:
            if Schedule.objects.filter(merchant=membership.merchant).count() >= MOST:
                raise NotKept(f"There are {MOST} schedules: delete one that nobody uses any more.")
            kept, event = Schedule(merchant=membership.merchant, begun_until=now), "schedule.created"
        else:
            kept, event = _locked(schedule), "schedule.changed"
            if any(getattr(kept, name) != values[name] for name in _RHYTHM):
                kept.begun_until = now
        for name, value in values.items():
            setattr(kept, name, value)
        kept.owner = membership.user
        kept.save()
        wanted = set(recipients)
        kept.recipients.exclude(user__in=wanted).delete()
        ScheduleRecipient.objects.bulk_create(
            [ScheduleRecipient(merchant=kept.merchant, schedule=kept, user_id=each) for each in wanted],
            ignore_conflicts=True,
        )
        said = {"query": kept.query, "format": kept.format, "rhythm": kept.rhythm.in_words}
        audit.record(
            kept.merchant, membership.user, event, kept.pk, **said, name=kept.name, recipients=sorted(wanted)
        )
    return kept


def pause(schedule: Schedule, membership: Membership) -> None:
    """Let the schedule rest. What is due meanwhile is not made up for."""
    _change(schedule, membership, "schedule.paused", paused=f"Paused by {membership.user}."[:200])


def resume(schedule: Schedule, membership: Membership) -> None:
    """Let the schedule go on, from now on in the name of this member."""
    changes = {"paused": "", "begun_until": timezone.now(), "owner": membership.user}
    _change(schedule, membership, "schedule.resumed", **changes)


def delete(schedule: Schedule, membership: Membership) -> None:
    """Delete the schedule with its history. The exports that it made stay."""
    with transaction.atomic():
        audit.record(schedule.merchant, membership.user, "schedule.deleted", schedule.pk, name=schedule.name)
        schedule.delete()


def _change(schedule: Schedule, membership: Membership, event: str, **changes: Any) -> None:
    with transaction.atomic():
        kept = _locked(schedule)
        if bool(kept.paused) == bool(changes["paused"]):
            return  # somebody was faster
        for name, value in changes.items():
            setattr(kept, name, value)
        kept.save(update_fields=list(changes))
        audit.record(kept.merchant, membership.user, event, kept.pk, name=kept.name)


def _locked(schedule: Schedule) -> Schedule:
    return Schedule.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=schedule.pk)
