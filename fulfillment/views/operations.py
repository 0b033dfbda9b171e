"""How the installation runs: a page for owners, and numbers for machines."""

import hmac
import ipaddress
import math

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from fulfillment.operations import copy, mirrors, piles, queues, text, worries
from merchant import measures, pulse, walls
from merchant.access import MemberRequest, Right, requires


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Metrics of the whole installation for METRICS_TOKEN or METRICS_ADDRESSES; for nobody without these."""
    if not (settings.METRICS_TOKEN or settings.METRICS_ADDRESSES):
        raise Http404
    if not (_knows_the_token(request) or _comes_from_near(request)):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    with walls.lifted():  # of the whole installation
        return HttpResponse(text(), content_type=CONTENT_TYPE_LATEST)


@require_safe
@requires(Right.OPERATIONS)
def operations(request: MemberRequest) -> HttpResponse:
    """What runs, what waits, what went wrong, and what to do about it."""
    merchant = request.membership.merchant
    ours, waiting, replica = mirrors(merchant), piles(merchant), copy()
    try:
        lines, calls = queues(), _calls()
        beat = pulse.ages()[pulse.BEAT] is not None
    except redis.RedisError:
        lines, calls, beat = [], [], True  # the page says so in place of all three
    context = {
        "mirror": ours[0],
        "piles": waiting,
        "queues": lines,
        "calls": calls,
        "replica": replica,
        "worries": worries(ours, waiting, lines, replica, beat=beat),
        "is_broker_down": not lines,
    }
    return render(request, "fulfillment/operations.html", context)


def _calls() -> list[dict[str, object]]:
    """PaySuper's calls: how many, how many in vain, and under how many seconds nearly all of them stayed."""
    ended = measures.outcomes(measures.PAYSUPER)
    return [
        {
            "name": name,
            "number": each.number,
            "in_vain": sum(count for outcome, count in ended[name].items() if not outcome.startswith("2")),
            "half": each.slower_than(0.5),
            "most": limit if math.isfinite(limit := each.slower_than(0.95)) else None,
        }
        for name, each in measures.by_name(measures.PAYSUPER).items()
    ]


def _knows_the_token(request: HttpRequest) -> bool:
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode()
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given, wanted)


def _comes_from_near(request: HttpRequest) -> bool:
    address = ipaddress.ip_address(get_adapter(request).get_client_ip(request))
    return any(address in ipaddress.ip_network(each, strict=False) for each in settings.METRICS_ADDRESSES)
