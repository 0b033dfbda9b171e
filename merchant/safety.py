"""What an installation must not start with: better no page than one that gives its customers away."""

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Warning as Doubt

_SHORTEST_SECRET = 40
# What a browser may do on our pages is what they need: nothing of these.
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "geolocation"),
        *("gyroscope", "magnetometer", "microphone", "midi", "payment", "screen-wake-lock", "usb"),
    )
)


def troubles(
    *, debug: bool, secret_key: str, encryption_keys: Sequence[str], base_url: str, hosts: Sequence[str]
) -> list[str]:
    """In sentences, what is unsafe about these settings; nothing is while debugging."""
    found: list[str] = []
    if debug:
        return found
    if not all(_is_key(each) for each in encryption_keys):
        found.append("ENCRYPTION_KEYS: each must be a Fernet key, 32 random bytes in URL-safe base64.")
    if len(secret_key) < _SHORTEST_SECRET:
        found.append(f"SECRET_KEY: take a random text of at least {_SHORTEST_SECRET} characters.")
    if any(each in ("*", ".") for each in hosts):
        found.append("ALLOWED_HOSTS: name the hosts; * lets anybody write the links in our mails.")
    host = urlsplit(base_url).hostname or ""
    if not base_url.startswith("https://") and not is_own(host):
        found.append("BASE_URL: has to begin with https://, else passwords cross the network in clear.")
    if base_url.startswith("https://") and not _names(hosts, host):
        found.append(f"ALLOWED_HOSTS: lacks {host}, the host of BASE_URL.")
    return found


def open_doors(**_: Any) -> list[Doubt]:
    """What starts and should not be deployed. For `manage.py check --deploy`."""
    if not settings.ALLOW_PRIVATE_SERVERS:
        return []
    words = "ALLOW_PRIVATE_SERVERS: who sets the address of a merchant's server leads us into your network."
    return [Doubt(words, id="merchant.W001")]


def _is_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def _names(hosts: Sequence[str], host: str) -> bool:
    return any(host == each or (each.startswith(".") and f".{host}".endswith(each)) for each in hosts)


def is_own(host: str) -> bool:
    """Whether this is the machine itself, to which nothing crosses a network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
