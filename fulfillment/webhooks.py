"""Where PaySuper's webhooks arrive: verify, store, answer (contract §13.8).

Answers: 200 stored · 400 unreadable behind a good signature · 401 bad or missing signature · 413 too large ·
503 our own trouble. Never a redirect, and never 422: PaySuper would turn a paid order into a rejected one.
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
from fulfillment.tasks import process_webhook
from merchant.celery import ring
from merchant.models import Project
from merchant.paysuper import signature

log = structlog.get_logger()


@csrf_exempt
@login_not_required
@require_POST
def receive(request: HttpRequest, project_id: str) -> HttpResponse:
    """Take one event of one project."""
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse(status=413)
    except UnreadablePostError:
        return HttpResponse(status=400)
    try:
        return HttpResponse(status=_take(project_id, body, request.headers.get("Authorization", "")))
    except DatabaseError:
        log.exception("webhook_not_stored", project=project_id)
        return HttpResponse(status=503)


def _take(project_id: str, body: bytes, header: str) -> int:
    project = Project.objects.filter(paysuper_id=project_id.lower()).first()
    if project is None or not signature.is_valid(body, header, project.secret_key):
        log.warning("webhook_refused", project=project_id)
        return 401
    try:
        event_id = inbox.store(project, body)
    except inbox.Unreadable:
        log.warning("webhook_unreadable", project=project_id)
        return 400
    ring(process_webhook, event_id)
    return 200
