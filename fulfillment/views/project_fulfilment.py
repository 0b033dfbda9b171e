"""A project's promise, what happens without hands, and the calls of the merchant's server."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fulfillment import actions, automatic
from fulfillment.forms import FulfilmentRuleForm
from fulfillment.models import FulfilmentRule, ServerCall
from fulfillment.tasks import call_server
from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from merchant.models import Project

CALLS_SHOWN = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.SETTINGS)
def project_fulfilment(request: MemberRequest, project_id: str) -> HttpResponse:
    """The rule of a project. The first address of a server brings a secret, which is shown once."""
    project = _project(request, project_id)
    form = FulfilmentRuleForm(FulfilmentRule.of(project), request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, project, form, "")
    needs_secret = form.instance.server_url and not form.instance.server_secret
    with transaction.atomic():
        rule = form.save()
        told = {name: getattr(rule, name) for name in ("promise_hours", "is_automatic", "server_url")}
        audit.record(
            project.merchant, request.membership.user, "fulfilment_rule.changed", project.paysuper_id, **told
        )
        secret = _new_secret(request, rule) if needs_secret else ""
    messages.success(request, "Saved.")
    if secret:
        return _page(request, project, form, secret)
    return redirect("fulfillment:project_fulfilment", project.paysuper_id)


@never_cache
@require_POST
@requires(Right.SETTINGS)
def server_secret(request: MemberRequest, project_id: str) -> HttpResponse:
    """A new secret, shown once. Calls are signed with it from now on."""
    project = _project(request, project_id)
    rule = FulfilmentRule.of(project)
    if not rule.server_url:
        messages.error(request, "Set the address of your server first.")
        return redirect("fulfillment:project_fulfilment", project.paysuper_id)
    with transaction.atomic():
        secret = _new_secret(request, rule)
    return _page(request, project, FulfilmentRuleForm(rule, None), secret)


@require_safe
@requires(Right.WEBHOOKS)
def server_call(request: MemberRequest, call_id: int) -> HttpResponse:
    """One call with its body and every answer; activation keys stay masked."""
    call = _call(request, call_id)
    tries = [(each, automatic.masked_answer(call, each.answer)) for each in call.history.all()]
    context = {
        "call": call,
        "tries": tries,
        "body": automatic.masked_body(call),
        "blocker": automatic.resend_blocker(call, request.membership),
    }
    return render(request, "fulfillment/server_call.html", context)


@require_POST
@requires(Right.FULFIL)
def resend(request: MemberRequest, call_id: int) -> HttpResponse:
    """Send a call once more."""
    call = _call(request, call_id)
    try:
        automatic.resend(call, request.membership)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        ring(call_server, call.pk)
        messages.success(request, "The call is sent again.")
    return redirect("fulfillment:server_call", call.pk)


def _page(request: MemberRequest, project: Project, form: FulfilmentRuleForm, secret: str) -> HttpResponse:
    calls = ServerCall.objects.filter(project=project).select_related("transaction").defer("body")
    context = {
        "project": project,
        "form": form,
        "rule": FulfilmentRule.of(project),
        "secret": secret,
        "calls": calls[:CALLS_SHOWN],
    }
    return render(request, "fulfillment/project_fulfilment.html", context)


def _new_secret(request: MemberRequest, rule: FulfilmentRule) -> str:
    secret = automatic.new_secret()
    rule.server_secret = secret
    rule.save()
    audit.record(rule.merchant, request.membership.user, "server_secret.made", rule.project.paysuper_id)
    return secret


def _project(request: MemberRequest, project_id: str) -> Project:
    return get_or_404(Project.objects.select_related("merchant"), request.membership, paysuper_id=project_id)


def _call(request: MemberRequest, call_id: int) -> ServerCall:
    calls = ServerCall.objects.select_related("merchant", "project", "transaction", "asked_again_by")
    return get_or_404(calls, request.membership, pk=call_id)
