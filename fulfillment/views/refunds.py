"""Asking for refunds, and the page of all that are under way."""

import contextlib
from decimal import Decimal
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from fulfillment import actions, amounts, rehearsal, rules
from fulfillment.forms import RefundForm
from fulfillment.models import Action
from fulfillment.tasks import ring_for_refund
from fulfillment.views.asking import card_again, question, transaction_of
from merchant.access import MemberRequest, Right, requires
from merchant.models import RefundRules
from merchant.money import display
from merchant.reauthentication import ask_password, filled_in, is_recent
from transactions.models import Transaction


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.REFUND)
def refund(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Confirm and ask for a refund. An amount that has changed meanwhile is shown, and asked about again."""
    entry = transaction_of(request, uuid)
    if request.method != "POST":
        return _again(request, entry, filled_in(request))
    form = _form(entry, request.POST)
    if not form.is_valid():
        return _ask(request, entry, form)
    if not is_recent(request):
        return ask_password(request)
    try:
        action = _request(request, entry, form)
    except actions.Changed:
        return _again(request, entry, request.POST)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        ring_for_refund(action)
        messages.success(request, _said(action))
    return card_again(request, entry)


def _request(request: MemberRequest, entry: Transaction, form: RefundForm) -> Action:
    values = form.cleaned_data
    return actions.request_refund(
        entry,
        request.membership,
        reason=values["reason"],
        note=values["note"],
        seen=form.seen,
        amount=values.get("amount"),
    )


def _said(action: Action) -> str:
    if action.state == Action.State.AWAITING_APPROVAL:
        return (
            f"The refund is requested. It waits for the approval of a second person: {rehearsal.approvers()}."
        )
    return "The refund is requested. This page follows it."


def _again(request: MemberRequest, entry: Transaction, posted: QueryDict) -> HttpResponse:
    """The question with what was filled in before, about the amount of now."""
    if not posted:
        return _ask(request, entry, _form(entry))
    entry.refresh_from_db()
    before, fresh = _form(entry, posted), _form(entry)
    now = (fresh.initial["seen_amount"], fresh.initial["seen_currency"])
    changed = (display(*before.seen), display(*now)) if before.is_valid() and before.seen != now else None
    values = posted.copy()
    values["seen_amount"], values["seen_currency"] = str(now[0]), now[1]
    if changed:
        values["amount"] = str(min(before.cleaned_data.get("amount", now[0]), now[0]))
    return _ask(request, entry, _form(entry, values), changed)


def _form(entry: Transaction, data: QueryDict | None = None) -> RefundForm:
    policy = RefundRules.of(entry.merchant)
    left = amounts.left(entry, policy)
    form = RefundForm(data, left=left, currency=entry.charge_currency, honours_parts=policy.honours_parts)
    if policy.honours_parts:
        form.fields["amount"].widget.attrs |= {
            "hx-get": reverse("fulfillment:refund", args=[entry.pk]),
            "hx-trigger": "change",
            "hx-target": "#rehearsal",
            "hx-select": "#rehearsal",
            "hx-swap": "outerHTML",
        }
    return form


def _ask(
    request: MemberRequest, entry: Transaction, form: RefundForm, changed: tuple[str, str] | None = None
) -> HttpResponse:
    policy, left = RefundRules.of(entry.merchant), form.initial["seen_amount"]
    blocker = rules.refund_blocker(entry, request.membership)
    if not blocker and left <= 0:
        blocker = "The whole charge has gone back already."
    context = {"transaction": entry, "form": form, "blocker": blocker, "changed": changed, "left": left}
    if not blocker:
        amount = _amount(form, left, request.GET.get("amount", ""))
        context["figures"] = rehearsal.figures(entry, amount)
        context["sentences"] = rehearsal.sentences(entry, amount, policy, request.membership)
    return question(request, "refund", context)


def _amount(form: RefundForm, left: Decimal, typed: str) -> Decimal:
    """The amount that the form speaks of, or that is being typed; all that is left if it cannot be read."""
    amount: Decimal | None = None
    if form.is_bound:
        form.is_valid()
        amount = form.cleaned_data.get("amount")
    elif "amount" in form.fields:
        with contextlib.suppress(ValidationError):
            amount = form.fields["amount"].clean(typed)
    return left if amount is None else min(left, amount)
