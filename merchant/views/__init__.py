"""Pages about the merchant itself, and the health checks."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection as database
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant.access import MemberRequest, Right, requires

WORKER_HEARTBEAT = "worker-heartbeat"


@require_safe
@requires(Right.SETTINGS)
def connection(request: MemberRequest) -> HttpResponse:
    """How this merchant is connected to PaySuper."""
    merchant = request.membership.merchant
    return render(
        request, "merchant/settings.html", {"merchant": merchant, "projects": merchant.projects.all()}
    )


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Whether this process answers."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Whether everything that the product leans on is there. 503 when something is not."""
    checks = {
        "database": _succeeds(database.ensure_connection),
        "broker": _succeeds(lambda: redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()),
        "migrations": _succeeds(_all_migrated),
        "worker": _succeeds(lambda: cache.get(WORKER_HEARTBEAT) is not None),
    }
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _succeeds(check: Callable[[], object]) -> bool:
    try:
        return check() is not False
    except (DatabaseError, redis.RedisError):
        return False


def _all_migrated() -> bool:
    executor = MigrationExecutor(database)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
