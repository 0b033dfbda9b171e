"""The English names of countries by their ISO 3166 codes."""

from collections.abc import Mapping
from functools import cache

from babel import Locale


@cache
def names() -> Mapping[str, str]:
    """All of them, read when they are first asked for: they take megabytes that a worker need not hold."""
    return Locale("en").territories
