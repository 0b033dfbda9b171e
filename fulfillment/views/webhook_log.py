"""The webhook log."""

import json
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fulfillment.models import WebhookEvent
from merchant.access import MemberRequest, Right, get_or_404, requires
from transactions.card import readable


@require_safe
@requires(Right.WEBHOOKS)
def webhook_list(request: MemberRequest) -> HttpResponse:
    """The newest webhooks."""
    events = WebhookEvent.objects.filter(merchant=request.membership.merchant).select_related("project")
    return render(request, "fulfillment/webhooks.html", {"events": events.defer("body")[:100]})


@require_safe
@requires(Right.WEBHOOKS)
def webhook(request: MemberRequest, event_id: int) -> HttpResponse:
    """One webhook with its body; activation keys stay masked."""
    event = get_or_404(WebhookEvent.objects.select_related("project"), request.membership, pk=event_id)
    body = readable(json.loads(event.body, parse_float=Decimal))
    return render(request, "fulfillment/webhook.html", {"event": event, "body": body})
