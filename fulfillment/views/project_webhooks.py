"""The page of a project: its webhook address, its secret, and whether webhooks arrive."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from fulfillment.inbox import deliveries, health, trials
from fulfillment.tasks import send_webhook_test
from fulfillment.views.project_list import webhook_address
from fulfillment.webhook_forms import SecretForm, TestForm, WebhooksForm
from merchant import projects
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from merchant.models import Project
from transactions.tasks import read_projects


@require_safe
@requires(Right.PROJECTS)
def project_webhooks(request: MemberRequest, project_id: str) -> HttpResponse:
    """The page; htmx gets the part that follows a test."""
    project = _project(request, project_id)
    response = _page(request, project) if not request.htmx else _test(request, project)  # type: ignore[attr-defined]
    patch_vary_headers(response, ["HX-Request"])
    return response


@sensitive_post_parameters()
@require_POST
@requires(Right.MANAGE_WEBHOOKS)
def project_secret(request: MemberRequest, project_id: str) -> HttpResponse:
    """Take a new secret."""
    project, form = _project(request, project_id), SecretForm(request.POST)
    if not form.is_valid():
        return _page(request, project, secret_form=form)
    had_one = bool(project.secret_key)
    if projects.rotate_secret(project, request.membership.user, form.cleaned_data["secret"]):
        if had_one:
            words = "The new secret key is stored. The old one stays good for 48 hours."
        else:
            words = "The secret key is stored. Webhooks of this project are taken now."
        messages.success(request, words)
        ring(read_projects, project.merchant_id)  # compares it with PaySuper's
    else:
        messages.info(request, "This is the secret key that is known already: nothing has changed.")
    return redirect("fulfillment:project", project.paysuper_id)


@require_POST
@requires(Right.MANAGE_WEBHOOKS)
def project_secret_end(request: MemberRequest, project_id: str) -> HttpResponse:
    """Stop taking what the previous secret has signed."""
    project = _project(request, project_id)
    if projects.end_previous_secret(project, request.membership.user):
        messages.success(request, "The previous secret key is good no more.")
    else:
        messages.info(request, "There was no previous secret key any more.")
    return redirect("fulfillment:project", project.paysuper_id)


@require_POST
@requires(Right.MANAGE_WEBHOOKS)
def project_switches(request: MemberRequest, project_id: str) -> HttpResponse:
    """Whether webhooks are taken, and the answer to `user.validate`."""
    project, form = _project(request, project_id), WebhooksForm(request.POST)
    if not form.is_valid():
        return _page(request, project, webhooks_form=form)
    wanted = form.cleaned_data
    changed = projects.change_webhooks(
        project,
        request.membership.user,
        taken=wanted["takes_webhooks"],
        admits_customers=wanted["admits_customers"],
    )
    messages.success(request, "The settings are saved." if changed else "Nothing has changed.")
    return redirect("fulfillment:project", project.paysuper_id)


@require_POST
@requires(Right.TEST)
def project_test(request: MemberRequest, project_id: str) -> HttpResponse:
    """Ask PaySuper for a made-up webhook."""
    project, form = _project(request, project_id), TestForm(request.POST)
    if not form.is_valid():
        return _page(request, project, test_form=form)
    test = trials.ask(project, request.membership, form.cleaned_data["case"])
    ring(send_webhook_test, test.pk)
    # Whoever tries it has changed something at PaySuper.
    ring(read_projects, project.merchant_id)
    page = redirect("fulfillment:project", project.paysuper_id)
    page["Location"] += "#test"
    return page


def _project(request: MemberRequest, project_id: str) -> Project:
    queryset = Project.objects.select_related("merchant", "at_paysuper")
    return get_or_404(queryset, request.membership, paysuper_id=project_id.lower())


def _page(request: MemberRequest, project: Project, **given: forms.Form) -> HttpResponse:
    """The whole page, with a form that was filled in wrongly instead of its empty one."""
    known: dict[str, Any] = {
        "secret_form": SecretForm(),
        "webhooks_form": WebhooksForm.of(project),
        "test_form": TestForm(),
        "address": webhook_address(project),
        "deliveries": deliveries.health(project.merchant, [project])[project.pk],
        "warning": health.warning(project),
        "figures": health.last_day(project),
    }
    context = _of_the_test(project) | known | given
    return render(request, "fulfillment/webhook_project.html", context, status=400 if given else 200)


def _test(request: MemberRequest, project: Project) -> HttpResponse:
    return render(request, "fulfillment/_webhook_test.html", _of_the_test(project))


def _of_the_test(project: Project) -> dict[str, Any]:
    test = trials.newest(project)
    found: dict[str, Any] = {"project": project, "test": test}
    if test:
        found |= {"arrived": trials.arrived(test), "awaited": trials.is_awaited(test)}
        found |= {"turned_away": trials.turned_away(test)}
    return found
