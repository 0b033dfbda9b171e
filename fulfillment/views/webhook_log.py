"""The webhook log: what has arrived, what was turned away, and having it processed again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from fulfillment import inbox
from fulfillment.inbox import comparing, health
from fulfillment.models import RefusedDelivery, WebhookEvent
from fulfillment.tasks import process_webhook
from fulfillment.webhook_forms import WebhookFilter
from merchant import audit, paging
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring

_REPLAYED_AT_ONCE = 1000


@require_safe
@requires(Right.WEBHOOKS)
def webhook_list(request: MemberRequest) -> HttpResponse:
    """A page of the log."""
    merchant = request.membership.merchant
    filters = WebhookFilter(merchant, request.GET)
    found = filters.found.select_related("project").defer("body")
    manages, query = may(request.membership, Right.MANAGE_WEBHOOKS), request.GET.copy()
    query.pop("cursor", None)
    context: dict[str, Any] = {
        "filter": filters,
        "page": paging.page(found, request.GET.get("cursor", ""), "last_received_at"),
        "query": query.urlencode(),
        "refused": health.refused_in_a_day(merchant),
        "unsettled": inbox.unsettled(filters.found)[:_REPLAYED_AT_ONCE].count() if manages else 0,
    }
    return render(request, "fulfillment/webhooks.html", context)


@require_safe
@requires(Right.WEBHOOKS)
def webhook(request: MemberRequest, event_id: int) -> HttpResponse:
    """One webhook with its body, beside the order as it is now; activation keys stay masked."""
    event = get_or_404(WebhookEvent.objects.select_related("project"), request.membership, pk=event_id)
    document = comparing.document_of(event)
    context = {
        "event": event,
        "body": comparing.shown(document, with_personal_data=may(request.membership, Right.PERSONAL)),
        "compared": comparing.compared(event, document),
        "can_replay": event.event in inbox.PAYMENT_EVENTS and not event.testing_case,
    }
    return render(request, "fulfillment/webhook.html", context)


@require_safe
@requires(Right.WEBHOOKS)
def refused_list(request: MemberRequest) -> HttpResponse:
    """The newest deliveries that were not taken, and how many there were."""
    merchant = request.membership.merchant
    rows = RefusedDelivery.objects.filter(merchant=merchant).select_related("project")
    counts = [(project, health.refused(project)) for project in merchant.projects.all()]
    context = {"refused": rows[:200], "counts": [each for each in counts if each[1]]}
    return render(request, "fulfillment/webhooks_refused.html", context)


@require_POST
@requires(Right.MANAGE_WEBHOOKS)
def replay(request: MemberRequest, event_id: int) -> HttpResponse:
    """Have one webhook processed again."""
    event = get_or_404(WebhookEvent.objects.defer("body"), request.membership, pk=event_id)
    _replay(request, WebhookEvent.objects.filter(pk=event.pk), str(event.pk))
    messages.success(request, "The webhook is processed again: its order is read from PaySuper once more.")
    return redirect("fulfillment:webhook", event.pk)


@require_POST
@requires(Right.MANAGE_WEBHOOKS)
def replay_unsettled(request: MemberRequest) -> HttpResponse:
    """Have all that failed processed again, of those that the log's filters find."""
    filters = WebhookFilter(request.membership.merchant, request.GET)
    unsettled = inbox.unsettled(filters.found).order_by("pk")[:_REPLAYED_AT_ONCE]
    count = _replay(request, WebhookEvent.objects.filter(pk__in=list(unsettled.values_list("pk", flat=True))))
    if count:
        messages.success(request, f"{count} webhook{'s are' if count > 1 else ' is'} processed again.")
    else:
        messages.info(request, "There is nothing to process again.")
    return redirect(f"{reverse('fulfillment:webhooks')}?{request.GET.urlencode()}")


def _replay(request: MemberRequest, events: Any, subject: str = "webhooks") -> int:
    chosen = inbox.replay(events)
    if chosen:
        audit.record(
            request.membership.merchant,
            request.membership.user,
            "webhook.replayed",
            subject,
            count=len(chosen),
        )
    for event_id in chosen:
        ring(process_webhook, event_id)
    return len(chosen)
