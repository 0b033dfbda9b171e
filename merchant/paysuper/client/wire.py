"""One request and its answer, within limits of time, size and number of connections."""

import functools
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from merchant.paysuper.answers import decoded, refusal
from merchant.paysuper.errors import NoAnswer, NotSent

_LARGEST_BODY = 64 * 1024 * 1024
LIMITS = httpx2.Limits(max_connections=8, max_keepalive_connections=4)


@dataclass(frozen=True)
class Patience:
    """How long we wait and how often we ask. Seconds.

    `total` bounds the wait for the whole body; `reads` is the number of tries of a read. Between two tries we
    wait `pause` and then longer, at most `longest_pause`.
    """

    connect: float = 5.0
    read: float = 20.0
    total: float = 60.0
    reads: int = 4
    pause: float = 0.5
    longest_pause: float = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back. The body may hold personal data and tokens and stays out of `repr`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def document(self) -> Any:
        """The document of a success. Raises the error of contract §3, or NoAnswer when it is no JSON."""
        if self.status not in (200, 201):
            raise refusal(self.status, self.headers, self.body)
        try:
            return decoded(self.body)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise NoAnswer("PaySuper's answer is cut off or no JSON", status=self.status) from error


class Wire:
    """Connections to one address (or, without one, to any). Use as a context manager; safe for threads."""

    def __init__(
        self, base_url: str, patience: Patience, transport: httpx2.BaseTransport | None = None
    ) -> None:
        self._patience = patience
        self._http = httpx2.Client(
            base_url=base_url,
            headers={"Accept": "application/json"},
            timeout=httpx2.Timeout(patience.read, connect=patience.connect, pool=patience.connect),
            limits=LIMITS,
            follow_redirects=False,
            verify=trusted(),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send once. Raises NotSent without a connection, NoAnswer when no whole answer came in time."""
        request = self._http.build_request(method, url, params=query, content=content, headers=headers)
        deadline = time.monotonic() + self._patience.total
        try:
            response = self._http.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSent(f"no connection to PaySuper: {type(error).__name__}") from error
        except httpx2.HTTPError as error:
            raise NoAnswer(f"PaySuper did not answer: {type(error).__name__}") from error
        try:
            return Answer(response.status_code, response.headers, _body(response, deadline))
        except httpx2.HTTPError as error:
            raise NoAnswer(f"PaySuper's answer broke off: {type(error).__name__}") from error
        finally:
            response.close()


@functools.cache
def trusted() -> ssl.SSLContext:
    """Whom we believe to be PaySuper: to read that anew for every call takes longer than most calls."""
    return httpx2.create_ssl_context()


def _body(response: httpx2.Response, deadline: float) -> bytes:
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > _LARGEST_BODY:
            raise NoAnswer("PaySuper's answer is larger than any page", status=response.status_code)
        if time.monotonic() > deadline:
            raise NoAnswer("PaySuper's answer took too long", status=response.status_code)
    return bytes(body)
