"""Who we are: access tokens that end, and how they are renewed (contract §2).

A 401 is no proof that a token is dead: it also means that PaySuper's identity provider is down. So a token is
renewed at most once per call, and nothing here ever forgets one.
"""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx2

from merchant.paysuper.client.wire import Patience, Wire
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotSent, PaySuperError, Unexpected
from merchant.paysuper.values import text_of

# A token must outlive the call that it is sent with.
_MARGIN = dt.timedelta(seconds=60)
_LONGEST_LIFE = 10 * 365 * 24 * 3600
_PATIENCE = Patience(connect=5, read=10, total=15, reads=1)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class AccessToken:
    """An OAuth2 access token and when it ends (UTC; None: unknown). Its value stays out of `repr`.

    Raises NotAllowed for a value that no header can carry.
    """

    value: str = field(repr=False)
    expires_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        if not (self.value.isascii() and self.value.isprintable()):
            # Said here, since the HTTP library would print the token in its complaint.
            raise NotAllowed("the token holds characters that no token has")

    def ends_within(self, margin: dt.timedelta) -> bool:
        """Whether it ends that soon, or has ended."""
        return self.expires_at is not None and self.expires_at <= dt.datetime.now(dt.UTC) + margin


@dataclass(frozen=True)
class Grant:
    """What a renewal gave: the new access token, and the refresh token for the next time."""

    access: AccessToken
    refresh_token: str = field(repr=False)


class Tokens:
    """The token of a client, renewed by `refresh` when there is one. Safe to share between threads."""

    def __init__(self, token: AccessToken, refresh: Callable[[], AccessToken] | None) -> None:
        self._token = token
        self._refresh = refresh
        self._lock = threading.Lock()

    def current(self) -> AccessToken:
        """The token to send now, renewed when it has ended or is about to.

        Raises NotSent when it has ended and cannot be renewed just now, NotAllowed when renewal is refused.
        """
        token = self._token
        if self._refresh is None or not token.ends_within(_MARGIN):
            return token
        try:
            return self._renewed(token, self._refresh)
        except PaySuperError as error:
            if not token.ends_within(dt.timedelta()):
                return token
            kind = NotSent if isinstance(error, NotSent | NoAnswer | Unexpected) else NotAllowed
            raise kind(_cannot_renew(error), code=error.code) from error

    def after_refusal(self, refused: AccessToken) -> AccessToken | None:
        """Another token after this one met a 401, or None when there is no other.

        Raises NotAllowed when it cannot be renewed.
        """
        if self._refresh is None:
            return None
        try:
            token = self._renewed(refused, self._refresh)
        except PaySuperError as error:
            raise NotAllowed(_cannot_renew(error), status=401, code=error.code) from error
        return token if token.value != refused.value else None

    def _renewed(self, known: AccessToken, refresh: Callable[[], AccessToken]) -> AccessToken:
        with self._lock:
            if self._token == known:  # else another thread has renewed it while we waited
                self._token = refresh()
            return self._token


def renewed(token_url: str, refresh_token: str, *, transport: httpx2.BaseTransport | None = None) -> Grant:
    """A new access token by the refresh grant of OAuth2 (RFC 6749 §6). Sent once.

    An id and secret of the client may stand in the address: https://id:secret@host/path. Raises Refused or
    NotAllowed when the refresh token is not accepted, NotSent or NoAnswer on passing trouble.
    """
    asked_at = dt.datetime.now(dt.UTC)
    form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}).encode()
    with Wire("", _PATIENCE, transport) as wire:
        document = wire.exchange("POST", token_url, headers=_FORM, content=form).document()
    value = text_of(document, "access_token") if isinstance(document, Mapping) else ""
    if not value:
        raise Unexpected("the answer to a renewal holds no access token")
    return Grant(
        access=AccessToken(value, _end(asked_at, text_of(document, "expires_in"))),
        refresh_token=text_of(document, "refresh_token") or refresh_token,
    )


def _end(asked_at: dt.datetime, seconds: str) -> dt.datetime | None:
    life = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 12 else 0  # noqa: PLR2004
    return asked_at + dt.timedelta(seconds=life) if 0 < life <= _LONGEST_LIFE else None


def _cannot_renew(error: PaySuperError) -> str:
    return f"the token cannot be renewed: {error}"
