"""Whether a project's webhooks arrive and are taken."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from django.utils import timezone

from fulfillment.inbox.processing import PAYMENT_EVENTS
from fulfillment.models import RefusalCount, RefusedDelivery, WebhookEvent
from merchant.models import Merchant, Project
from transactions.models import RowType, Status, Transaction

DAY = dt.timedelta(days=1)
# An order whose webhook has not come in this time is noticed, for so long.
_ON_ITS_WAY = dt.timedelta(minutes=15)
_LOOKED_BACK = dt.timedelta(hours=48)
# Orders of which PaySuper tells (contract §13.2).
_TOLD = (Status.PROCESSED, Status.REJECTED, Status.CANCELED, Status.REFUNDED, Status.CHARGEBACK)


@dataclass(frozen=True)
class Figure:
    """So many of something; `kind` is green, blue, red or blank."""

    label: str
    count: int
    kind: str = ""


def last_day(project: Project) -> list[Figure]:
    """What has come in the last 24 hours, by what became of it; figures of nothing are left out."""
    since = timezone.now() - DAY
    state, signed = WebhookEvent.State, WebhookEvent.Signature
    events = WebhookEvent.objects.filter(
        merchant=project.merchant_id, project=project, last_received_at__gte=since
    )
    counts = events.aggregate(
        processed=Count("pk", filter=Q(state=state.PROCESSED)),
        waiting=Count("pk", filter=Q(state=state.RECEIVED)),
        kept=Count("pk", filter=Q(state=state.IGNORED)),
        failed=Count("pk", filter=Q(state=state.FAILED)),
        previous=Count("pk", filter=Q(signed_with=signed.PREVIOUS)),
    )
    figures = [
        Figure("Processed", counts["processed"], "green"),
        Figure("Waiting", counts["waiting"], "blue"),
        Figure("Kept, nothing to do", counts["kept"]),
        Figure("Failed", counts["failed"], "red"),
        Figure("Signed with the previous secret", counts["previous"], "amber"),
        *(Figure(f"Turned away: {label}", count, "red") for label, count in refused(project).items()),
    ]
    return [figure for figure in figures if figure.count]


def refused(project: Project) -> dict[str, int]:
    """How many were turned away in the last 24 hours, by reason in words."""
    counted = RefusalCount.objects.filter(project=project, hour__gt=timezone.now() - DAY)
    sums = counted.values_list("reason").annotate(Sum("count")).order_by("reason")
    return {RefusedDelivery.Reason(reason).label: count for reason, count in sums}


def refused_in_a_day(merchant: Merchant) -> int:
    """How many deliveries to all projects were turned away in the last 24 hours."""
    counted = RefusalCount.objects.filter(project__merchant=merchant, hour__gt=timezone.now() - DAY)
    return counted.aggregate(all=Sum("count"))["all"] or 0


def warning(project: Project) -> str:
    """A sentence when webhooks of this project do not reach us, else ""."""
    if not project.takes_webhooks:
        return "Webhooks of this project are switched off: PaySuper repeats each for two days."
    if not project.secret_key:
        return "No secret key is known: every webhook of this project is turned away."
    now = timezone.now()
    since, mine = now - _LOOKED_BACK, {"merchant": project.merchant_id, "project": project}
    ended = Transaction.objects.filter(**mine, type=RowType.ORDER, status__in=_TOLD)
    orders = ended.filter(created_at__gte=since, created_at__lt=now - _ON_ITS_WAY).count()
    came = WebhookEvent.objects.filter(**mine, last_received_at__gte=since, event__in=PAYMENT_EVENTS)
    if orders == 0 or came.filter(testing_case="").exists():
        return ""
    them = "one order of this project was" if orders == 1 else f"{orders} orders of this project were"
    return (
        f"In the last 48 hours {them} paid or ended, but no webhook came. "
        "Compare the address and the secret key with those at PaySuper, and send a test event."
    )
