"""Who mails a project's customers, and how the mails look."""

import base64

from csp.decorators import csp_update
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fulfillment.forms import MailRuleForm
from fulfillment.models import MailRule
from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.models import Project


@csp_update({"img-src": ["'self'", "data:"]})
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SETTINGS)
def project_mail(request: MemberRequest, project_id: str) -> HttpResponse:
    """The rule of a project."""
    project = get_or_404(
        Project.objects.select_related("merchant"), request.membership, paysuper_id=project_id.lower()
    )
    is_sent = request.method == "POST"
    form = MailRuleForm(
        MailRule.of(project), request.POST if is_sent else None, request.FILES if is_sent else None
    )
    if is_sent and form.is_valid():
        with transaction.atomic():
            rule = form.save()
            told = {name: getattr(rule, name) for name in ("we_mail", "shop_name", "support_email")}
            told["has_logo"] = bool(rule.logo)
            audit.record(
                project.merchant, request.membership.user, "mail_rule.changed", project.paysuper_id, **told
            )
        messages.success(request, "Saved.")
        return redirect("fulfillment:project_mail", project.paysuper_id)
    rule = MailRule.of(project)
    logo = base64.b64encode(bytes(rule.logo)).decode()
    context = {"project": project, "form": form, "rule": rule, "logo": logo}
    return render(request, "fulfillment/project_mail.html", context, status=400 if is_sent else 200)
