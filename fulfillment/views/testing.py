"""Testing the checkout: the cards, a payment at the sandbox, and its steps."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from fulfillment import checkout
from fulfillment.forms import TestPaymentForm
from fulfillment.models import TestPayment
from fulfillment.tasks import make_test_payment
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from transactions.models import Connection

_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.TEST)
def test_checkout(request: MemberRequest) -> HttpResponse:
    """The cards and what should happen with each; a POST asks for a payment."""
    merchant = request.membership.merchant
    connection = Connection.objects.filter(merchant=merchant).first()
    is_sandbox = connection.is_sandbox if connection else None
    is_sent = request.method == "POST"
    form = TestPaymentForm(merchant, request.POST if is_sent else None)
    if is_sent and not is_sandbox:
        messages.error(request, "Test payments are made at a sandbox only: nothing was paid.")
        return redirect("fulfillment:test_checkout")
    if is_sent and form.is_valid():
        wanted = dict(form.cleaned_data)
        test = checkout.ask(wanted.pop("project"), request.membership, **wanted)
        ring(make_test_payment, test.pk)
        return redirect("fulfillment:test_payment", test.pk)
    made = TestPayment.objects.filter(merchant=merchant).select_related("project", "requested_by")
    context: dict[str, Any] = {
        "form": form,
        "is_sandbox": is_sandbox,
        "cards": checkout.CARDS.values(),
        "currencies": checkout.CURRENCIES,
        "made": made.defer("return_token")[:_SHOWN],
    }
    status = 400 if form.errors else 200
    return render(request, "fulfillment/test_checkout.html", context, status=status)


@require_safe
@requires(Right.TEST)
def test_payment(request: MemberRequest, test_id: int) -> HttpResponse:
    """How far a test payment has come; htmx gets the steps alone."""
    tests = TestPayment.objects.select_related("merchant", "project", "requested_by")
    test = get_or_404(tests, request.membership, pk=test_id)
    steps = checkout.steps(test)
    context = {"test": test, "steps": steps, "awaited": checkout.is_awaited(test, steps)}
    context |= {"card": checkout.CARDS.get(test.card)}
    template = "_test_steps" if request.htmx else "test_payment"  # type: ignore[attr-defined]
    response = render(request, f"fulfillment/{template}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
