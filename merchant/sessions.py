"""How long somebody stays signed in, and where."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from merchant.models import User

BEGAN, SEEN = "began_at", "seen_at"
# Seconds. A click is noted no more often than that.
_NOTED_EVERY = 60
_AT_ONCE = 1000
# A session is noted a moment before it is stored.
_JUST_BEGUN = dt.timedelta(hours=1)


def time_out(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Signs out who did nothing for SESSION_IDLE_SECONDS, or signed in SESSION_COOKIE_AGE seconds ago."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            _look_at_the_clock(request)
        return get_response(request)

    return middleware


def _look_at_the_clock(request: HttpRequest) -> None:
    now = int(time.time())
    began = request.session.setdefault(BEGAN, now)
    seen = request.session.setdefault(SEEN, now)
    if now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_SECONDS:
        logout(request)
    elif now - seen > _NOTED_EVERY or seen > now:
        request.session[SEEN] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(
            last_seen_at=timezone.now()
        )


@dataclass(frozen=True)
class Place:
    """One browser in which somebody is signed in."""

    session: UserSession
    is_this_one: bool

    @property
    def browser(self) -> str:
        """The browser and system that it says to be, as far as known: "Firefox on Windows"."""
        said = self.session.user_agent
        names = [name for mark, name in _BROWSERS if mark in said] or ["Another browser"]
        systems = [name for mark, name in _SYSTEMS if mark in said]
        return f"{names[0]} on {systems[0]}" if systems else names[0]


# In the order of asking: all of them claim to be the later ones as well.
_BROWSERS = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
]
_SYSTEMS = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
]


def places(user: User, this_one: str | None) -> list[Place]:
    """Where this person is signed in, the last seen first. `this_one` is the key of the asking session."""
    alive = UserSession.objects.purge_and_list(user)
    alive.sort(key=lambda each: each.last_seen_at, reverse=True)
    return [Place(each, each.session_key == this_one) for each in alive]


def drop_ended() -> int:
    """Drop the sessions whose time is over, with the browsers and addresses that were noted of them.

    Gives how many. They belong to people, not to merchants.
    """
    over = Session.objects.filter(expire_date__lt=timezone.now())
    dropped = 0
    while keys := list(over.values_list("pk", flat=True)[:_AT_ONCE]):
        dropped += Session.objects.filter(pk__in=keys, expire_date__lt=timezone.now()).delete()[0]
    alive = Session.objects.filter(pk=OuterRef("session_key"))
    ended = UserSession.objects.filter(~Exists(alive), created_at__lt=timezone.now() - _JUST_BEGUN)
    while noted := list(ended.values_list("pk", flat=True)[:_AT_ONCE]):
        UserSession.objects.filter(pk__in=noted).delete()
    return dropped
