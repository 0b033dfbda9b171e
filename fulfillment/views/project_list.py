"""The merchant's projects as PaySuper has them, and whether their webhooks arrive."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fulfillment.inbox import deliveries, health
from fulfillment.inbox.deliveries import Health
from merchant.access import MemberRequest, Right, requires
from merchant.celery import ring
from merchant.models import Project
from transactions.models import Connection
from transactions.tasks import read_projects


@dataclass(frozen=True)
class Line:
    """One project on the page."""

    project: Project
    address: str
    deliveries: Health
    warning: str


@require_safe
@requires(Right.PROJECTS)
def project_list(request: MemberRequest) -> HttpResponse:
    """Every project: its state, where customers return to, its webhooks and how they arrive."""
    merchant = request.membership.merchant
    projects = list(Project.objects.filter(merchant=merchant).select_related("at_paysuper"))
    arrived = deliveries.health(merchant, projects)
    lines = [Line(each, webhook_address(each), arrived[each.pk], health.warning(each)) for each in projects]
    looked = Connection.objects.filter(merchant=merchant).first()
    return render(request, "fulfillment/projects.html", {"lines": lines, "looked": looked})


@require_POST
@requires(Right.TEST)
def read_projects_now(request: MemberRequest) -> HttpResponse:
    """Have a worker look at PaySuper's projects now instead of in some minutes."""
    ring(read_projects, request.membership.merchant_id)
    messages.info(request, "The projects are read from PaySuper now: reload this page in a moment.")
    is_back = request.POST.get("back") == "going_live"
    return redirect("fulfillment:going_live" if is_back else "fulfillment:projects")


def webhook_address(project: Project) -> str:
    """What has to stand at PaySuper as the project's webhook address."""
    return f"{settings.BASE_URL}/webhooks/paysuper/{project.paysuper_id}/"
