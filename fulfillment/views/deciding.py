"""What people do with refunds that have been asked for: take back, approve, look after, close."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from fulfillment import actions, rehearsal, rules
from fulfillment.forms import DecisionForm
from fulfillment.models import Action
from fulfillment.tasks import ring_for_refund, settle_action
from fulfillment.views.asking import card_again, note_of, question
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from merchant.models import RefundRules
from merchant.reauthentication import ask_password, filled_in, is_recent
from transactions.views.origin import back_to_card


@require_http_methods(["POST"])
@requires(Right.REFUND)
def undo(request: MemberRequest, action_id: int) -> HttpResponse:
    """Take a refund back before it has been sent."""
    action = _refund_of(request, action_id)
    try:
        actions.undo(action, request.membership)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, "The refund is taken back. Nothing was sent to PaySuper.")
    return _back(request, action)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.APPROVE)
def decide(request: MemberRequest, action_id: int) -> HttpResponse:
    """Approve or turn down a refund as the second person."""
    action = _refund_of(request, action_id)
    form = _form(action, request.POST if request.method == "POST" else filled_in(request))
    if request.method != "POST" or not form.is_valid():
        return _ask(request, action, form)
    if not is_recent(request):
        return ask_password(request)
    try:
        messages.success(request, _decide(request, action, form))
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    return card_again(request, action.transaction)


@require_http_methods(["POST"])
@requires(Right.REFUND)
def check(request: MemberRequest, action_id: int) -> HttpResponse:
    """Have a worker look now what became of a refund."""
    action = _refund_of(request, action_id)
    try:
        actions.look_soon(action)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        ring(settle_action, action.pk)
        messages.success(request, "We are asking PaySuper now. Reload the page in a moment.")
    return _back(request, action)


@require_http_methods(["POST"])
@requires(Right.REFUND)
def close(request: MemberRequest, action_id: int) -> HttpResponse:
    """A person says that a refund of unknown outcome did not happen."""
    action = _refund_of(request, action_id)
    try:
        actions.close(action, request.membership, note_of(request))
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    return _back(request, action)


def _refund_of(request: MemberRequest, action_id: int) -> Action:
    queryset = Action.objects.select_related("merchant", "transaction__project", "requested_by")
    return get_or_404(queryset, request.membership, pk=action_id)


def _back(request: MemberRequest, action: Action) -> HttpResponse:
    """To the page that the button stood on."""
    if request.POST.get("back") == "refunds":
        return redirect("fulfillment:refunds")
    return back_to_card(request, action.transaction_id)


def _form(action: Action, data: object) -> DecisionForm:
    seen = {"seen_amount": action.amount, "seen_currency": action.currency}
    return DecisionForm(data or None, initial=seen)  # type: ignore[arg-type]


def _decide(request: MemberRequest, action: Action, form: DecisionForm) -> str:
    values = form.cleaned_data
    if values["decision"] == "reject":
        actions.reject(action, request.membership, note=values["note"])
        return "The refund is turned down. Nothing was sent to PaySuper."
    seen = (values["seen_amount"], values["seen_currency"])
    actions.approve(action, request.membership, note=values["note"], seen=seen)
    ring_for_refund(action)
    return "The refund is approved. This page follows it."


def _ask(request: MemberRequest, action: Action, form: DecisionForm) -> HttpResponse:
    entry, policy = action.transaction, RefundRules.of(action.merchant)
    blocker = rules.decision_blocker(action, request.membership)
    context = {"transaction": entry, "action": action, "form": form, "blocker": blocker}
    if not blocker and action.amount:
        context["why_not_approve"] = rules.order_blocker(entry) or rules.requester_blocker(action)
        context["figures"] = rehearsal.figures(entry, action.amount)
        context["policy"] = policy
    return question(request, "decide", context)
