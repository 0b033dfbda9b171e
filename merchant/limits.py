"""How often one address may ask for what is open to everybody."""

import ipaddress
import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

_IPV6_OF_ONE = 64


def allows(request: HttpRequest, name: str, *, most: int, seconds: int = 60) -> bool:
    """Count this request; False when there were more than `most` from its network in so many seconds.

    Without a cache everybody is let through.
    """
    key = f"limit:{name}:{_network(request)}:{int(time.time()) // seconds}"
    try:
        cache.add(key, 0, seconds * 2)
        return int(cache.incr(key)) <= most
    except (RedisError, ValueError):
        return True


def _network(request: HttpRequest) -> str:
    """The address; of IPv6 the part that one customer has for all their addresses."""
    text = str(get_adapter().get_client_ip(request))
    address = ipaddress.ip_address(text)
    if address.version == 6:  # noqa: PLR2004
        return str(ipaddress.ip_network((address, _IPV6_OF_ONE), strict=False))
    return text
