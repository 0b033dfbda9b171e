"""What every request gets."""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from django.conf import settings
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.utils import timezone
from django_structlog.middlewares import RequestMiddleware

from merchant import audit, replica, walls
from merchant.access import MemberRequest
from merchant.call_stack import with_room
from merchant.models import Membership
from merchant.safety import PERMISSIONS

SESSION_KEY = "merchant"
_METHODS = ("GET", "HEAD", "POST")
_ONLY_READ, _ACTED = ("GET", "HEAD"), "acted"
# Whoever reads the log must not see an order or a receipt, set a password, or confirm an address.
_TOKEN = re.compile(
    r"^(/(?:receipts|(?:thanks|sorry)/[^/]+|accounts/password/reset/key|accounts/confirm-email)/)[^/]+"
)


class RequestLog(RequestMiddleware):
    """Two log lines for each request, with its ids but without its query: people search for addresses."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Method and path alone, without the part that opens something."""
        path = _TOKEN.sub(r"\1…", request.path)
        return f"{request.method} {path}"


def behind_the_wall(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Shows a request no merchant's rows until it is known whose it is about."""

    @with_room
    def middleware(request: HttpRequest) -> HttpResponseBase:
        with walls.nobody():
            return get_response(request)

    return middleware


def membership(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Gives a request its membership, its merchant's rows and its merchant's time zone.

    Somebody who belongs to several merchants works for the one chosen in the session, else the first.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        mine = _memberships(request)
        chosen = request.session.get(SESSION_KEY) if mine else None
        current = next((each for each in mine if each.merchant_id == chosen), mine[0] if mine else None)
        member_request = cast(MemberRequest, request)
        member_request.memberships = mine
        member_request.membership = current  # type: ignore[assignment]
        rows = walls.only(current.merchant_id) if current else walls.nobody()
        with rows, timezone.override(current.merchant.zone if current else None):
            response = get_response(request)
            # What is read while it is sent is read after this. A file's bytes are nobody's rows.
            if isinstance(response, StreamingHttpResponse) and not isinstance(response, FileResponse):
                response.streaming_content = walls.kept(cast(Iterator[bytes], response.streaming_content))
            return response

    return middleware


def _memberships(request: HttpRequest) -> Sequence[Membership]:
    if not request.user.is_authenticated:
        return ()
    return request.user.own_memberships


def known_methods(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answers 405 to everything but GET, HEAD and POST: nothing here takes more.

    Django's form views take PUT for POST, and those of libraries say what they are to whoever asks.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method not in _METHODS:
            return HttpResponseNotAllowed(_METHODS)
        return get_response(request)

    return middleware


def remembered(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Lets the audit know which request it is that something was done in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        before = audit.answered.set(request)
        try:
            return get_response(request)
        finally:
            audit.answered.reset(before)

    return middleware


class Replica:
    """Has some pages read from the replica, but for whoever has just done something themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Remember for a while that somebody did something; whoever takes the note out sees older pages."""
        response = self.get_response(request)
        if request.method not in _ONLY_READ and request.user.is_authenticated:
            response.set_cookie(  # type: ignore[attr-defined]
                _ACTED,
                "1",
                max_age=math.ceil(settings.REPLICA_MAX_LAG) + 1,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Make the page, from the replica where it can be. What is not there may be too new for it."""
        place = request.resolver_match
        if request.method not in _ONLY_READ or _ACTED in request.COOKIES:
            return None
        if place is None or place.view_name not in replica.PAGES:
            return None
        return replica.preferably(lambda: view(request, *args, **kwargs), again=(Http404,))


def permissions(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Tells browsers what no page of ours needs, and that no other site may take our files in."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware
