"""Asking for refunds, and closing those of unknown outcome."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from fulfillment import actions, rules
from fulfillment.forms import RefundForm
from fulfillment.models import Action
from fulfillment.tasks import run_action
from fulfillment.views.asking import ask_first, transaction_of
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring


@require_http_methods(["GET", "POST"])
@requires(Right.REFUND)
def refund(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Confirm and ask for a refund."""
    entry = transaction_of(request, uuid)
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

    return ask_first(request, entry, "refund", form, ask, rules.refund_blocker(entry, request.membership))


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
