"""What the list's filters offer: the values that occur among a merchant's transactions."""

from dataclasses import dataclass, field

from babel import Locale
from django.core.cache import cache
from redis.exceptions import RedisError

from merchant.models import Merchant, Project
from transactions.models import Transaction

_LIVE_SECONDS = 60
_COUNTRIES = Locale("en").territories
_COLUMNS = {
    "method": ("method", "method_title"),
    "country": ("country", "country"),
    "currency": ("charge_currency", "charge_currency"),
}


@dataclass(frozen=True)
class Choices:
    """Values with their titles by filter, and the keys of the projects by PaySuper's ids."""

    by_filter: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    projects: dict[str, int] = field(default_factory=dict)


def of(merchant: Merchant) -> Choices:
    """The projects, methods, countries and currencies of this merchant, at most a minute old."""
    key = f"choices:{merchant.pk}"
    try:
        found: Choices | None = cache.get(key)
        if found is None:
            found = _read(merchant)
            if found.by_filter["method"]:  # not while there are none: the first fill is near
                cache.set(key, found, _LIVE_SECONDS)
    except RedisError:
        return _read(merchant)  # slower, but the list does not fall with the cache
    return found


def _read(merchant: Merchant) -> Choices:
    found = Choices()
    for name, (column, title) in _COLUMNS.items():
        rows = Transaction.objects.filter(merchant=merchant).exclude(**{column: ""})
        pairs = dict(rows.values_list(column, title).distinct())
        titles = _COUNTRIES if name == "country" else pairs
        found.by_filter[name] = [(value, titles.get(value) or value) for value in pairs]
    projects = Project.objects.filter(merchant=merchant)
    found.by_filter["project"] = list(projects.values_list("paysuper_id", "name"))
    found.projects.update(projects.values_list("paysuper_id", "pk"))
    for offered in found.by_filter.values():
        offered.sort(key=lambda pair: (pair[1].casefold(), pair[0]))
    return found
