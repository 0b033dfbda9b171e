"""How well webhooks arrive, project by project: the last day and the last seven."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from fulfillment.models import RefusalCount, RefusedDelivery, WebhookEvent
from merchant.models import Merchant, Project

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
_LONG_AGO = dt.timedelta(days=30)
_Reason = RefusedDelivery.Reason
# Somebody's signature was not the one that the secret key gives.
_OF_THE_SIGNATURE = (_Reason.NO_SIGNATURE, _Reason.WRONG_FORM, _Reason.WRONG_SIGNATURE)


@dataclass
class Span:
    """What has come in a span of time; `failed` were taken, but their order could not be read."""

    label: str
    events: int = 0
    failed: int = 0
    turned_away: int = 0
    wrongly_signed: int = 0


@dataclass
class Health:
    """The deliveries of one project; `last` is None when none has come in thirty days."""

    last: dt.datetime | None = None
    day: Span = field(default_factory=lambda: Span("Last 24 hours"))
    week: Span = field(default_factory=lambda: Span("Last 7 days"))

    @property
    def spans(self) -> tuple[Span, Span]:
        """The shorter one first."""
        return self.day, self.week


def health(merchant: Merchant, projects: Iterable[Project]) -> dict[int, Health]:
    """The health of these projects of the merchant by their key, in two reads however many they are."""
    found, now = {project.pk: Health() for project in projects}, timezone.now()
    events = WebhookEvent.objects.filter(merchant=merchant, last_received_at__gte=now - _LONG_AGO)
    for row in _counted(events.filter(project__in=found), now):
        mine = found[row["project"]]
        mine.last = row["last"]
        mine.day.events, mine.day.failed = row["day"], row["day_failed"]
        mine.week.events, mine.week.failed = row["week"], row["week_failed"]
    refused = RefusalCount.objects.filter(project__in=found, hour__gt=now - WEEK)
    sums = refused.values_list("project", "hour", "reason").annotate(Sum("count"))
    for project, hour, reason, count in sums:
        for span in found[project].spans if hour > now - DAY else found[project].spans[1:]:
            span.turned_away += count
            span.wrongly_signed += count if reason in _OF_THE_SIGNATURE else 0
    return found


def _counted(events: QuerySet[WebhookEvent], now: dt.datetime) -> list[Any]:
    day, week = Q(last_received_at__gte=now - DAY), Q(last_received_at__gte=now - WEEK)
    failed = Q(state=WebhookEvent.State.FAILED)
    counted = events.values("project").annotate(
        last=Max("last_received_at"),
        day=Count("pk", filter=day),
        week=Count("pk", filter=week),
        day_failed=Count("pk", filter=day & failed),
        week_failed=Count("pk", filter=week & failed),
    )
    return list(counted)
