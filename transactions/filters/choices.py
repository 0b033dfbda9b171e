"""The values that can be chosen: those that occur among a merchant's transactions."""

from babel import Locale
from django.core.cache import cache
from redis.exceptions import RedisError

from merchant.models import Merchant
from transactions.models import Transaction

_LIVE_SECONDS = 60


def methods(merchant: Merchant) -> list[tuple[str, str]]:
    """The payment methods that customers used."""
    return _seen(merchant, "method", "method_title")


def currencies(merchant: Merchant) -> list[tuple[str, str]]:
    """The currencies that customers were charged in."""
    return _seen(merchant, "charge_currency", "charge_currency")


def countries(merchant: Merchant) -> list[tuple[str, str]]:
    """The countries of this merchant's customers, by name."""
    names = Locale("en").territories
    found = [(code, names.get(code, code)) for code, _ in _seen(merchant, "country", "country")]
    return sorted(found, key=lambda each: each[1])


def _seen(merchant: Merchant, name: str, title: str) -> list[tuple[str, str]]:
    """The values that occur among this merchant's transactions, remembered for a minute."""

    def read() -> list[tuple[str, str]]:
        rows = Transaction.objects.filter(merchant=merchant).exclude(**{name: ""})
        return sorted(
            {value: text or value for value, text in rows.values_list(name, title).distinct()}.items()
        )

    key = f"seen:{merchant.pk}:{name}"
    try:
        found: list[tuple[str, str]] = cache.get(key) or []
        if not found and (found := read()):
            cache.set(key, found, _LIVE_SECONDS)  # not while there are none: the first fill is near
    except RedisError:
        return read()  # slower, but the list does not fall with the cache
    return found
