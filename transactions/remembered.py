"""What stands above every list: remembered for a minute, in the cache that all processes share.

The list does not fall with the cache. Only plain values are kept (tuples, lists and dicts of texts and
numbers): a class would be met by the code of another release. Another shape needs another key.
"""

from pickle import UnpicklingError
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

SECONDS = 60
# What reading a pickle can raise, whoever has written it.
_UNREADABLE = (
    UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)


def get(key: str) -> Any:
    """The value of a key; None where nothing is remembered, the cache is away or its value is unreadable."""
    try:
        return cache.get(key)
    except (RedisError, *_UNREADABLE):
        return None


def keep(key: str, value: Any) -> None:
    """Remember a value for SECONDS."""
    try:
        cache.set(key, value, SECONDS)
    except RedisError:
        return  # slower the next time, and no worse


def forget(key: str) -> None:
    """Forget a value, so that the next page reads it anew."""
    try:
        cache.delete(key)
    except RedisError:
        return  # nothing is remembered for longer than SECONDS
