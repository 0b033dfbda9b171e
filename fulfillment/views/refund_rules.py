"""The merchant's rules for refunds."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fulfillment.forms import RefundRulesForm
from merchant import audit
from merchant.access import MemberRequest, Right, may, requires, roles_with
from merchant.models import Membership, Merchant, RefundRules
from merchant.reauthentication import ask_password, filled_in, is_recent


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SETTINGS)
def refund_rules(request: MemberRequest) -> HttpResponse:
    """See the rules; an owner changes them."""
    if request.method == "POST":
        if not may(request.membership, Right.REFUND_RULES):
            raise PermissionDenied(f"Your role does not allow you to {Right.REFUND_RULES.label}.")
        return _change(request)
    merchant = request.membership.merchant
    form = RefundRulesForm(filled_in(request) or None, instance=RefundRules.of(merchant))
    return _show(request, form)


def _change(request: MemberRequest) -> HttpResponse:
    merchant = request.membership.merchant
    with transaction.atomic():
        # Of two owners at once the second sees what the first has left behind.
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        rules = RefundRules.of(merchant)
        before = _noted(rules)
        form = RefundRulesForm(request.POST, instance=rules)
        if not form.is_valid():
            return _show(request, form)
        if not is_recent(request):
            return ask_password(request)
        form.save()
        after = _noted(rules)
        if before != after:
            user = request.membership.user
            audit.record(merchant, user, "refund_rules.changed", merchant.pk, before=before, after=after)
    messages.success(request, "The rules for refunds are saved.")
    return redirect("fulfillment:refund_rules")


def _noted(rules: RefundRules) -> dict[str, str]:
    return {name: str(value) for name, value in model_to_dict(rules, exclude=["id", "merchant"]).items()}


def _show(request: MemberRequest, form: RefundRulesForm) -> HttpResponse:
    merchant = request.membership.merchant
    able = Membership.objects.filter(merchant=merchant, role__in=roles_with(Right.APPROVE))
    alone = able.get() if able.count() == 1 else None
    limited = alone and form[f"limit_{alone.role}"].value() not in (None, "")
    context = {
        "form": form,
        "may_change": may(request.membership, Right.REFUND_RULES),
        "stuck": alone.user if alone and limited else None,
    }
    return render(request, "fulfillment/refund_rules.html", context)
