"""One POST to a server that a merchant has named: only outwards, not for long, and no answer without end."""

import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from django.conf import settings

from merchant import outside

ANSWER_AT_MOST = 64 * 1024
_SECONDS_AT_MOST = 15.0
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
_ERROR_NUMBER = re.compile(r"^\[Errno -?\d+\] ")


class NoAnswer(Exception):
    """The server could not be asked, or gave no whole answer; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    text: str

    @property
    def is_taken(self) -> bool:
        """Whether the server has taken what it was told."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send the body. Redirects are answers like any other. Raises NoAnswer."""
    try:
        return _post(url, body, headers)
    except outside.Barred as barred:
        raise NoAnswer(str(barred)) from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        why = _ERROR_NUMBER.sub("", str(error))
        raise NoAnswer(f"The server could not be reached: {why}") from error
    except httpx2.TimeoutException:
        raise NoAnswer("The server did not answer in time.") from None
    except httpx2.HTTPError as error:
        raise NoAnswer(f"The connection broke: {error}") from error


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    deadline = time.monotonic() + _SECONDS_AT_MOST
    transport = outside.Outside(private=settings.ALLOW_PRIVATE_SERVERS, verify=ssl.create_default_context())
    with (
        httpx2.Client(
            transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=False
        ) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        read = b""
        for piece in answer.iter_raw(8192):
            read += piece
            if len(read) > ANSWER_AT_MOST or time.monotonic() > deadline:
                break  # its status counts; nobody reads more
        return Answer(answer.status_code, read[:ANSWER_AT_MOST].decode(errors="replace").replace("\0", ""))
