"""The owner's pages about personal data: how long it is kept, and forgetting a customer."""

from django.contrib import messages
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fulfillment import erasing
from fulfillment.forms import CustomerForm, ErasureForm, RetentionForm
from merchant import audit
from merchant.access import MemberRequest, Right, requires
from merchant.models import Merchant, RetentionRules
from merchant.reauthentication import ask_password, filled_in, is_recent


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PRIVACY)
def retention_rules(request: MemberRequest) -> HttpResponse:
    """See and set how long what tells of customers is kept."""
    if request.method == "POST":
        return _change(request)
    rules = RetentionRules.of(request.membership.merchant_id)
    return _show(request, RetentionForm(filled_in(request) or None, instance=rules))


def _change(request: MemberRequest) -> HttpResponse:
    merchant = request.membership.merchant
    with transaction.atomic():
        # Of two owners at once the second sees what the first has left behind.
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        rules = RetentionRules.of(merchant.pk)
        before = _noted(rules)
        form = RetentionForm(request.POST, instance=rules)
        if not form.is_valid():
            return _show(request, form)
        if not is_recent(request):
            return ask_password(request)
        form.save()
        if (after := _noted(rules)) != before:
            user = request.membership.user
            audit.record(merchant, user, "retention.changed", merchant.pk, before=before, after=after)
    messages.success(request, "The times are saved. What is older is dropped within a day.")
    return redirect("fulfillment:retention")


def _noted(rules: RetentionRules) -> dict[str, int | None]:
    return model_to_dict(rules, exclude=["id", "merchant"])


def _show(request: MemberRequest, form: RetentionForm) -> HttpResponse:
    return render(request, "fulfillment/retention.html", {"form": form})


@never_cache
@sensitive_post_parameters("customer")
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PRIVACY)
def erase_customer(request: MemberRequest) -> HttpResponse:
    """Look for a customer, see what would go, and forget them. Whom stands in no address and no session."""
    if not is_recent(request):
        return ask_password(request) if request.method != "POST" else redirect("fulfillment:erase_customer")
    form = CustomerForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(request, form)
    merchant, customer = request.membership.merchant, form.cleaned_data["customer"]
    found = erasing.found(merchant, customer)
    if not found.orders:
        form.add_error("customer", "No order is known of this customer.")
        return _ask(request, form)
    typed = request.POST if "typed" in request.POST else None
    confirmed = ErasureForm(found.phrase, typed, initial={"customer": customer})
    if typed is None or not confirmed.is_valid():
        return _ask(request, form, found, confirmed)
    try:
        erased = erasing.erase(merchant, customer, request.membership.user)
    except erasing.NotYet as reason:
        messages.error(request, f"{reason} Nothing was changed: come back when that has ended.")
        return redirect("fulfillment:erase_customer")
    messages.success(request, f"The customer is forgotten in {erased.in_words}. All sums are as they were.")
    return redirect("fulfillment:erase_customer")


def _ask(
    request: MemberRequest,
    form: CustomerForm,
    found: "erasing.Erased | None" = None,
    confirmed: ErasureForm | None = None,
) -> HttpResponse:
    blocker = erasing.blocker(request.membership.merchant, form.cleaned_data["customer"]) if found else ""
    context = {"form": form, "found": found, "confirmed": confirmed, "blocker": blocker}
    return render(request, "fulfillment/erase_customer.html", context)
