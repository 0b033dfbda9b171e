"""What every request gets."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware

from merchant import walls
from merchant.access import MemberRequest
from merchant.models import Membership

SESSION_KEY = "merchant"


class RequestLog(RequestMiddleware):
    """Two log lines for each request, with its ids but without its query: people search for addresses."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path alone."""
        return f"{request.method} {request.path}"


def behind_the_wall(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Shows a request no merchant's rows until it is known whose it is about."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with walls.nobody():
            return get_response(request)

    return middleware


def membership(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Gives a request its membership, its merchant's rows and its merchant's time zone.

    Somebody who belongs to several merchants works for the one chosen in the session, else the first.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        current = _current_membership(request)
        cast(MemberRequest, request).membership = current  # type: ignore[assignment]
        rows = walls.only(current.merchant_id) if current else walls.nobody()
        with rows, timezone.override(current.merchant.zone if current else None):
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
    with walls.lifted():  # whose rows may be seen is what this finds out, by the person alone
        found = (mine.filter(merchant=chosen).first() if chosen else None) or mine.first()
    if found:
        found.user = request.user
    return found
