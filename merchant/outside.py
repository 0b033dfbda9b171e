"""Addresses that somebody can set, and calls to them: only the public internet, only by HTTPS.

An address is looked at when it is entered (`trouble`) and again at every connection (`Outside`): the name is
resolved once, every address that it stands for is checked, and the connection goes to a checked one. A name
that points elsewhere a moment later leads nowhere. `private` lifts this, for development.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2

from merchant.paysuper.client.wire import LIMITS, trusted
from merchant.paysuper.errors import NotAllowed

NO_ADDRESS = "This is not a web address such as https://shop.example/paysuper."
NOT_ENCRYPTED = "The address has to begin with https://."
PRIVATE = "This address lies in a private network."

_PRINTABLE = re.compile(r"[!-~]*")
# IPv6 that stands for an IPv4 address (translated, 6to4, Teredo): a way around the check.
_TRANSLATED = "64:ff9b::/96 64:ff9b:1::/48 2002::/16 2001::/32"
# Not public by rules that the standard library knows apart from the others, or not yet.
_SET_APART = "fec0::/10 3fff::/20 5f00::/16 192.88.99.0/24"
_BARRED = [ipaddress.ip_network(text) for text in f"{_TRANSLATED} {_SET_APART}".split()]
# Names of no public server (RFC 6761, RFC 6762, RFC 8375, and what ICANN keeps for private use).
_NAMES_AT_HOME = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".localdomain")


class Barred(NotAllowed):
    """An address that is not called; the message says why. Nothing was sent."""


def trouble(address: str, *, private: bool, credentials: bool = False) -> str:
    """Why this address could not be called, as a sentence; "" when it may be tried, or when it is empty.

    Asks no name server: a page does not wait for one, and the answer may be another when it is called.
    """
    if not address:
        return ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return NO_ADDRESS
    if not _PRINTABLE.fullmatch(address) or not parts.hostname or port == 0:
        return NO_ADDRESS
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return NOT_ENCRYPTED
    if (parts.username is not None and not credentials) or parts.fragment:
        return "Leave out names, passwords and what follows #."
    return "" if private or _may_be_public(parts.hostname) else PRIVATE


def is_public(address: str) -> bool:
    """Whether this IP address lies in the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if getattr(ip, "ipv4_mapped", None) or any(ip in network for network in _BARRED):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def addresses(host: str, port: int, *, private: bool) -> list[str]:
    """What the name stands for now, IPv4 first. Raises Barred if any of it is not public, OSError if nothing.

    IPv4 first: many machines have an IPv6 address that leads nowhere.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("this is no name of a server") from error
    ordered = sorted(found, key=lambda each: each[0] != socket.AF_INET)
    unique = list(dict.fromkeys(str(each[4][0]) for each in ordered))
    if not private and not all(is_public(each) for each in unique):
        raise Barred("The name of the server leads into a private network.")
    return unique


class Outside(httpx2.HTTPTransport):
    """Sends requests to checked addresses; certificates are checked against the name all the same.

    Takes no proxies out of the environment: they would resolve the name anew. Raises Barred.
    """

    def __init__(self, *, private: bool = False, verify: Any = None, limits: httpx2.Limits = LIMITS) -> None:
        known = verify or trusted()
        super().__init__(verify=known, limits=limits, trust_env=False)
        self._private = private
        self._pool = httpcore2.ConnectionPool(
            ssl_context=known,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Checked(private=private),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, unless it would go in clear."""
        if request.url.scheme != "https" and not self._private:
            raise Barred(NOT_ENCRYPTED)
        return super().handle_request(request)


class _Checked(httpcore2.SyncBackend):
    """Connects to addresses instead of names, and only to those that were checked."""

    def __init__(self, *, private: bool) -> None:
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = addresses(host, port, private=self._private)
        except OSError as error:
            raise httpcore2.ConnectError("its name is not known") from error
        for address in found[:-1]:
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return super().connect_tcp(found[-1], port, timeout, local_address, socket_options)


def _may_be_public(host: str) -> bool:
    name = host.rstrip(".").lower()
    try:
        # Also the short and odd ways of writing an IPv4 address: 127.1, 0x7f000001, 2130706433.
        ip = name if ":" in name else socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return "." in name and not name.endswith(_NAMES_AT_HOME)
    try:
        return is_public(ip)
    except ValueError:
        return False
