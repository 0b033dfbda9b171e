"""What every request gets."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from merchant.access import MemberRequest
from merchant.models import Membership

SESSION_KEY = "merchant"


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
    mine = Membership.objects.filter(user=request.user).select_related("merchant", "user").order_by("pk")
    chosen = request.session.get(SESSION_KEY)
    return (mine.filter(merchant=chosen).first() if chosen else None) or mine.first()
