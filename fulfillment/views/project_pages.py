"""The settings of the pages that a project's customers see after paying."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fulfillment import returning
from fulfillment.forms import ReturnPageForm
from fulfillment.models import ReturnPage
from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.models import Project


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.PROJECTS)
def project_pages(request: MemberRequest, project_id: str) -> HttpResponse:
    """The switch, the addresses to paste at PaySuper, and how a shop lets its customer see the order."""
    projects = Project.objects.select_related("merchant", "at_paysuper")
    project = get_or_404(projects, request.membership, paysuper_id=project_id.lower())
    manages, page = may(request.membership, Right.MANAGE_WEBHOOKS), ReturnPage.of(project)
    if request.method == "POST" and not manages:
        raise PermissionDenied("Your role does not allow you to set pages up.")
    form = ReturnPageForm(request.POST if request.method == "POST" else None, instance=page)
    if request.method == "POST" and form.is_valid():
        _save(request, project, form)
        messages.success(request, "Saved.")
        return redirect("fulfillment:project_pages", project.paysuper_id)
    context = {
        "project": project,
        "form": form,
        "manages": manages,
        "is_open": ReturnPage.of(project).is_open,
        "thanks": f"{settings.BASE_URL}/thanks/{project.paysuper_id}/",
        "sorry": f"{settings.BASE_URL}/sorry/{project.paysuper_id}/",
        "member": returning.METADATA,
    }
    return render(request, "fulfillment/project_pages.html", context, status=400 if form.errors else 200)


def _save(request: MemberRequest, project: Project, form: ReturnPageForm) -> None:
    with transaction.atomic():
        page = form.save()
        told = {"is_open": page.is_open, "shop_url": page.shop_url}
        audit.record(
            project.merchant, request.membership.user, "return_page.changed", project.paysuper_id, **told
        )
