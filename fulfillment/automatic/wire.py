"""One POST to a server that a merchant has named: only outwards, not for long, and no answer without end.

The name is resolved once, every address it stands for is checked, and the connection goes to a checked
address: a name that points elsewhere a moment later leads nowhere.
"""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

ANSWER_AT_MOST = 64 * 1024
_SECONDS_AT_MOST = 15.0
_TIMEOUT = httpx2.Timeout(10.0, connect=5.0)
# IPv6 that stands for an IPv4 address: a way around the check.
_TRANSLATED = [
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
]
# Private by a rule of old, which the standard library knows apart from the others.
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
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
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    trouble = "The server could not be reached."
    for address in _addresses(host, port):
        bracketed = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=f"{bracketed}:{port}").geturl()
        try:
            return _post(target, body, {**headers, "Host": parts.netloc}, host)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            trouble = f"The server could not be reached: {_ERROR_NUMBER.sub('', str(error))}"
        except httpx2.TimeoutException:
            raise NoAnswer("The server did not answer in time.") from None
        except httpx2.HTTPError as error:
            raise NoAnswer(f"The connection broke: {error}") from error
    raise NoAnswer(trouble)


def is_allowed(address: str) -> bool:
    """Whether this IP address lies in the public internet."""
    if settings.ALLOW_PRIVATE_SERVERS:
        return True
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6 and (ip.ipv4_mapped or any(ip in network for network in _TRANSLATED)):  # noqa: PLR2004
        return False
    is_of_a_site = ip in _SITE_LOCAL
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or is_of_a_site)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer("The name of the server is not known.") from error
    # IPv4 first: many machines have an IPv6 address that leads nowhere.
    addresses = [str(each[4][0]) for each in sorted(found, key=lambda each: each[0] != socket.AF_INET)]
    if not all(is_allowed(address) for address in addresses):
        raise NoAnswer("The name of the server leads into a private network.")
    return addresses


def _post(url: str, body: bytes, headers: Mapping[str, str], host: str) -> Answer:
    deadline = time.monotonic() + _SECONDS_AT_MOST
    # Certificates are checked against the name, although the connection goes to its address.
    request = {"content": body, "headers": headers, "extensions": {"sni_hostname": host}}
    with (
        httpx2.Client(
            verify=ssl.create_default_context(), timeout=_TIMEOUT, follow_redirects=False, trust_env=False
        ) as client,
        client.stream("POST", url, **request) as answer,  # type: ignore[arg-type]
    ):
        read = b""
        for piece in answer.iter_raw(8192):
            read += piece
            if len(read) > ANSWER_AT_MOST or time.monotonic() > deadline:
                break  # its status counts; nobody reads more
        return Answer(answer.status_code, read[:ANSWER_AT_MOST].decode(errors="replace").replace("\0", ""))
