"""Fulfilling, refunding, and the webhook log. A GET shows the form, a POST asks."""

import json
from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from fulfillment import actions, rules
from fulfillment.forms import FulfilForm, RefundForm, UnfulfilForm
from fulfillment.models import Action, WebhookEvent
from fulfillment.tasks import run_action
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from transactions.card import readable
from transactions.models import Transaction


@require_http_methods(["GET", "POST"])
@requires(Right.REFUND)
def refund(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Confirm and ask for a refund."""
    entry = _transaction(request, uuid)
    form = RefundForm(request.POST) if request.method == "POST" else RefundForm.of(entry)

    def ask(values: dict[str, str]) -> str:
        action = actions.request_refund(
            entry,
            request.membership,
            reason=values["reason"],
            note=values["note"],
            seen=(values["seen_amount"], values["seen_currency"]),  # type: ignore[arg-type]
        )
        ring(run_action, action.pk)
        return "The refund is requested. This page follows it."

    return _ask(request, entry, "refund", form, ask, rules.refund_blocker(entry, request.membership))


@require_http_methods(["GET", "POST"])
@requires(Right.FULFIL)
def fulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Note that the goods have been handed over."""
    entry = _transaction(request, uuid)
    form = FulfilForm(request.POST) if request.method == "POST" else FulfilForm()

    def ask(values: dict[str, str]) -> str:
        actions.fulfil(entry, request.membership, values["note"])
        return "The order is fulfilled."

    return _ask(request, entry, "fulfil", form, ask, rules.fulfil_blocker(entry, request.membership))


@require_http_methods(["GET", "POST"])
@requires(Right.FULFIL)
def unfulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Take a fulfilment back."""
    entry = _transaction(request, uuid)
    form = UnfulfilForm(request.POST) if request.method == "POST" else UnfulfilForm()

    def ask(values: dict[str, str]) -> str:
        actions.unfulfil(entry, request.membership, values["note"])
        return "The fulfilment is undone."

    return _ask(request, entry, "unfulfil", form, ask, rules.unfulfil_blocker(entry, request.membership))


@require_http_methods(["POST"])
@requires(Right.REFUND)
def close(request: MemberRequest, action_id: int) -> HttpResponse:
    """A person says that a refund of unknown outcome did not happen."""
    action = get_or_404(
        Action.objects.select_related("merchant", "transaction"), request.membership, pk=action_id
    )
    try:
        # PostgreSQL holds no NUL in a text.
        note = request.POST.get("note", "").replace("\0", "")[:200]
        actions.close(action, request.membership, note)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    return redirect("transactions:card", action.transaction_id)


@require_safe
@requires(Right.VIEW)
def state(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """The part of the card that follows what is under way."""
    response = render(request, "fulfillment/_state.html", {"transaction": _transaction(request, uuid)})
    patch_vary_headers(response, ["HX-Request"])
    return response


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


def _ask(
    request: MemberRequest,
    entry: Transaction,
    name: str,
    form: forms.Form,
    ask: Callable[[dict[str, str]], str],
    blocker: str,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, ask(form.cleaned_data))
        except actions.Blocked as blocked:
            messages.error(request, str(blocked))
        card = redirect("transactions:card", entry.pk)
        return HttpResponseClientRedirect(card.url) if request.htmx else card  # type: ignore[attr-defined]
    template = f"fulfillment/_{name}.html" if request.htmx else f"fulfillment/{name}.html"  # type: ignore[attr-defined]
    response = render(request, template, {"transaction": entry, "form": form, "blocker": blocker})
    patch_vary_headers(response, ["HX-Request"])
    return response


def _transaction(request: MemberRequest, uuid: UUID) -> Transaction:
    queryset = Transaction.objects.select_related("project", "merchant")
    return get_or_404(queryset, request.membership, pk=uuid)
