"""Pages for customers, who have no account here: where PaySuper sends them after the payment."""

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fulfillment import returning
from fulfillment.models import MailRule, ReceiptPage, ReturnPage
from merchant import limits, walls
from transactions.models import Status

_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
_PAID = (Status.PROCESSED, Status.REFUNDED, Status.CHARGEBACK)
# A minute, from one network: a page that waits asks twenty times.
_MOST = 120
# Seconds until the next look, and after how many looks they become more; then the customer reloads.
_SOON, _LATER, _SLOWER_AFTER, _LOOKS = 3, 15, 20, 60


@login_not_required
@never_cache
@require_safe
@csp(_POLICY)  # type: ignore[arg-type]
def thanks(request: HttpRequest, project_id: str, token: str = "") -> HttpResponse:
    """Where a customer comes to whose payment PaySuper calls successful."""
    return _page(request, project_id, token, succeeded=True)


@login_not_required
@never_cache
@require_safe
@csp(_POLICY)  # type: ignore[arg-type]
def sorry(request: HttpRequest, project_id: str, token: str = "") -> HttpResponse:
    """Where a customer comes to whose payment failed, as PaySuper says."""
    return _page(request, project_id, token, succeeded=False)


def _page(request: HttpRequest, project_id: str, token: str, *, succeeded: bool) -> HttpResponse:
    if not limits.allows(request, "return-page", most=_MOST):
        return _for_one_reader(HttpResponse("Too many requests. Wait a minute.", "text/plain", 429))
    pages = ReturnPage.objects.select_related("project__merchant")
    with walls.lifted():  # whose it is, only the project tells
        page = get_object_or_404(pages, is_open=True, project__paysuper_id=project_id.lower())
    with walls.only(page.merchant_id):
        return _page_of(request, page, token, succeeded=succeeded)


def _page_of(request: HttpRequest, page: ReturnPage, token: str, *, succeeded: bool) -> HttpResponse:
    shown = returning.shown(page.project, token, succeeded=succeeded)
    rule = MailRule.of(page.project)
    words = returning.spoken(shown, rule, request.headers.get("Accept-Language", ""))
    context: dict[str, Any] = {"page": page, "project": page.project, "shown": shown, "rule": rule}
    context["words"] = words
    if shown.entry and shown.entry.status in _PAID:
        context["receipt"] = ReceiptPage.of(shown.entry)
    looks = _number(request.GET.get("n", ""))
    if shown.waits and looks < _LOOKS:
        context |= {"next": looks + 1, "seconds": _SOON if looks < _SLOWER_AFTER else _LATER}
    template = "_state" if request.htmx else "page"  # type: ignore[attr-defined]
    return _for_one_reader(render(request, f"fulfillment/returning/{template}.html", context))


@login_not_required
@require_safe
def return_logo(request: HttpRequest, project_id: str) -> HttpResponse:
    """The logo on these pages."""
    if not limits.allows(request, "return-page", most=_MOST):
        return _for_one_reader(HttpResponse("Too many requests. Wait a minute.", "text/plain", 429))
    with walls.lifted():  # whose it is, only the project tells
        page = get_object_or_404(ReturnPage, is_open=True, project__paysuper_id=project_id.lower())
        logo = bytes(MailRule.of(page.project).logo)
    if not logo:
        raise Http404("There is no logo.")
    return _for_one_reader(HttpResponse(logo, content_type="image/png"))


def _for_one_reader(response: HttpResponse) -> HttpResponse:
    """Neither found by search machines, nor told to the next site, nor logged with its address."""
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response["Referrer-Policy"] = "no-referrer"
    if response.status_code == 429:  # noqa: PLR2004
        response["Retry-After"] = "60"
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - has the token
    return response


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else 0  # noqa: PLR2004
