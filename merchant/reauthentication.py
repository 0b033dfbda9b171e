"""Asking for the password once more before money moves, keys are shown or people change."""

import time
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

_KEPT = "filled_in_before_the_password"


def is_recent(request: HttpRequest) -> bool:
    """Whether this session's person gave the password within the last REAUTHENTICATION_TIMEOUT seconds."""
    times = [record["at"] for record in get_authentication_records(request, request.user)]
    # A time of the future is one of a clock that was wrong: nothing follows from it.
    return any(0 <= time.time() - at < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for at in times)


def ask_password(request: HttpRequest, back: str = "") -> HttpResponse:
    """The way to the password page and on to `back`, else here, where `filled_in` has what was posted."""
    back = back or request.path
    posted = request.POST.copy()
    posted.pop("csrfmiddlewaretoken", None)
    request.session[_KEPT] = {"path": back, "posted": posted.urlencode()}
    address = f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
    return HttpResponseClientRedirect(address) if request.headers.get("HX-Request") else redirect(address)


def filled_in(request: HttpRequest) -> QueryDict:
    """What was filled in at this address before the password was asked for; once, and only after it."""
    kept = request.session.get(_KEPT)
    if not kept or kept["path"] != request.path or not is_recent(request):
        return QueryDict()
    del request.session[_KEPT]
    return QueryDict(kept["posted"])
