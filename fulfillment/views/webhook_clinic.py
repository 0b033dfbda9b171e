"""The signature clinic."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from fulfillment.inbox import clinic
from fulfillment.webhook_forms import ClinicForm
from merchant.access import MemberRequest, Right, requires


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.MANAGE_WEBHOOKS)
def webhook_clinic(request: MemberRequest) -> HttpResponse:
    """Say what is wrong with a signature. Nothing of what is pasted is kept."""
    merchant = request.membership.merchant
    form = ClinicForm(merchant, request.POST if request.method == "POST" else None)
    findings = []
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        findings = clinic.examine(values["project"], values["body"], values["header"])
    return render(request, "fulfillment/webhook_clinic.html", {"form": form, "findings": findings})
