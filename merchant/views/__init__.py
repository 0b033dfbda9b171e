"""Pages about the merchant itself, and the health checks."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseTrouble, connection as database
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import measures, pulse
from merchant.access import MemberRequest, Right, requires


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
    """Whether everything that the product leans on is there. 503 when something is not.

    `workers`: each queue is served by one; `beat`: one rings by the clock.
    """
    alive = _pulses()
    checks = {
        "database": _succeeds(_database_answers),
        "broker": _succeeds(lambda: measures.line().ping()),
        "migrations": _succeeds(_all_migrated),
        "workers": all(alive.get(queue) for queue in settings.QUEUES),
        "beat": bool(alive.get(pulse.BEAT)),
    }
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def _succeeds(check: Callable[[], object]) -> bool:
    try:
        return check() is not False
    except (DatabaseTrouble, redis.RedisError):
        return False


def _database_answers() -> None:
    # A connection that is kept is believed only after it has answered.
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")


def _all_migrated() -> bool:
    executor = MigrationExecutor(database)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _pulses() -> dict[str, bool]:
    try:
        return {name: age is not None for name, age in pulse.ages().items()}
    except redis.RedisError:
        return {}
