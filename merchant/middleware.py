"""What every request gets."""

import re
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware

from merchant import audit
from merchant.access import MemberRequest
from merchant.models import Membership

SESSION_KEY = "merchant"
# Who has it sees an order or a receipt.
_TOKEN = re.compile(r"^(/(?:receipts|(?:thanks|sorry)/[^/]+)/)[^/]+")


class RequestLog(RequestMiddleware):
    """Two log lines for each request, with its ids but without its query: people search for addresses."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path alone, without the part of customers' pages that opens them."""
        path = _TOKEN.sub(r"\1…", request.path)
        return f"{request.method} {path}"


def membership(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Gives a request its membership and its merchant's time zone.

    Somebody who belongs to several merchants works for the one chosen in the session, else the first.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        current = _current_membership(request)
        cast(MemberRequest, request).membership = current  # type: ignore[assignment]
        with timezone.override(current.merchant.zone if current else None):
            return get_response(request)

    return middleware


def _current_membership(request: HttpRequest) -> Membership | None:
    if not request.user.is_authenticated:
        return None
    # Every page says how fresh it is; none needs the merchant's secrets.
    mine = (
        Membership.objects.filter(user=request.user)
        .select_related("merchant__sync_state")
        .defer("merchant__api_token", "merchant__refresh_token", "merchant__token_url")
        .order_by("pk")
    )
    chosen = request.session.get(SESSION_KEY)
    found = (mine.filter(merchant=chosen).first() if chosen else None) or mine.first()
    if found:
        found.user = request.user
    return found


def remembered(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Lets the audit know which request it is that something was done in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        before = audit.answered.set(request)
        try:
            return get_response(request)
        finally:
            audit.answered.reset(before)

    return middleware
