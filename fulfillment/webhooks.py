"""Where PaySuper's webhooks arrive: verify, store, answer (contract §13.8).

Answers: 200 stored · 400 unreadable behind a good signature · 401 bad or missing signature · 413 too large ·
503 our own trouble, or switched off: it comes back · 403 to `user.validate` alone, where the project lets
nobody pay. Never a redirect, and never 422: PaySuper would turn a paid order into a rejected one.
"""

import structlog
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from fulfillment import inbox
from fulfillment.inbox import clinic, refusals
from fulfillment.inbox.refusals import Reason
from fulfillment.models import WebhookEvent
from fulfillment.tasks import process_webhook
from merchant import walls
from merchant.celery import ring
from merchant.models import Project
from merchant.paysuper import signature

log = structlog.get_logger()
Signature = WebhookEvent.Signature

_STATUS = {Reason.TOO_LARGE: 413, Reason.UNREADABLE: 400, Reason.SWITCHED_OFF: 503}
# Never Authorization: a recorded signature stays valid for ever (contract §13.3).
_HELPFUL = ("Content-Type", "Content-Length", "Accept", "User-Agent", "X-Request-Id")
_NEEDED = ("merchant_id", "paysuper_id", "secret_key", "previous_secret", "previous_secret_until")


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, project_id: str) -> HttpResponse:
    """Take one event of one project."""
    try:
        return HttpResponse(status=_take(request, project_id.lower()))
    except UnreadablePostError:
        return HttpResponse(status=400)
    except DatabaseError:
        log.exception("webhook_not_stored", project=project_id)
        return HttpResponse(status=503)


def _take(request: HttpRequest, project_id: str) -> int:
    known = Project.objects.only(*_NEEDED, "takes_webhooks", "admits_customers")
    with walls.lifted():  # whose it is, only the project tells
        project = next(iter(known.filter(paysuper_id=project_id).order_by()), None)
    with walls.only(project.merchant_id) if project else walls.nobody():
        return _take_for(request, project)


def _take_for(request: HttpRequest, project: Project | None) -> int:
    try:
        body = request.body
    except RequestDataTooBig:
        return _refuse(request, project, b"", Reason.TOO_LARGE)
    signed_with = _signed_with(project, body, request.headers.get("Authorization", "")) if project else None
    if project is None or signed_with is None:
        return _refuse(request, project, body, _what_is_wrong(request))
    if not project.takes_webhooks:
        return _refuse(request, project, body, Reason.SWITCHED_OFF)
    try:
        stored = inbox.store(project, inbox.Delivery(body, signed_with, _helpful(request)))
    except inbox.Unreadable:
        return _refuse(request, project, body, Reason.UNREADABLE)
    ring(process_webhook, stored.id)
    return stored.answer


def _signed_with(project: Project, body: bytes, header: str) -> Signature | None:
    if signature.is_valid(body, header, project.secret_key):
        return Signature.CURRENT
    return Signature.PREVIOUS if signature.is_valid(body, header, project.second_secret) else None


def _what_is_wrong(request: HttpRequest) -> Reason:
    header = request.headers.get("Authorization", "")
    if not header:
        return Reason.NO_SIGNATURE
    return Reason.WRONG_SIGNATURE if clinic.has_form(header) else Reason.WRONG_FORM


def _refuse(request: HttpRequest, project: Project | None, body: bytes, reason: Reason) -> int:
    log.warning("webhook_refused", project=project.paysuper_id if project else None, reason=reason)
    if project:
        signed = request.headers.get("Authorization", "")
        refusals.note(project, reason, body, _size(request), signed, _helpful(request))
    return _STATUS.get(reason, 401)


def _size(request: HttpRequest) -> int:
    announced = request.headers.get("Content-Length", "")
    return int(announced) if announced.isascii() and announced.isdecimal() else 0


def _helpful(request: HttpRequest) -> dict[str, str]:
    """The headers that help a developer, of a length and of signs that can be kept."""
    sent = {name: request.headers.get(name, "")[:200] for name in _HELPFUL}
    return {name: value.replace("\0", "") for name, value in sent.items() if value}
