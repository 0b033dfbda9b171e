"""Which addresses of servers a merchant may set."""

import ipaddress
import re
from urllib.parse import urlsplit

from django.conf import settings

from fulfillment.automatic import wire

_PRINTABLE = re.compile(r"[!-~]*")


def address_trouble(address: str) -> str:
    """Why workers could not call this address, as a sentence; "" when they may try, or when it is empty."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return "This is not a web address."
    if not address:
        return ""
    if not _PRINTABLE.fullmatch(address) or not parts.hostname or port == 0:
        return "This is not a web address such as https://shop.example/paysuper."
    if parts.scheme != "https" and not (settings.ALLOW_PRIVATE_SERVERS and parts.scheme == "http"):
        return "The address has to begin with https://."
    if parts.username is not None or parts.fragment:
        return "Leave out names, passwords and what follows #."
    return "" if _is_outside(parts.hostname) else "This address lies in a private network."


def _is_outside(host: str) -> bool:
    """What a name leads to is known when it is called; an address is known at once."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return settings.ALLOW_PRIVATE_SERVERS or host != "localhost"
    return wire.is_allowed(host)
