"""What is set, in words, each with a way to remove it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transactions.filters import TransactionFilter


@dataclass(frozen=True)
class Chip:
    """One value of a filter that is set: what it says, and the query of the same list without it.

    `aside`: the search text is a whole id, so this filter does not count.
    """

    label: str
    text: str
    query_without: str
    aside: bool = False


def chips_of(filters: "TransactionFilter") -> Iterator[Chip]:
    """One chip for each value that is set, in the order of the form."""
    for name, field in filters.form.fields.items():
        titles = {str(value): str(title) for value, title in getattr(field, "choices", [])}
        aside = name != "q" and filters.is_by_id
        values = filters.values_of(name)
        for value in values:
            query = filters.data.copy()
            query.setlist(name, [each for each in values if each != value])
            query.pop("cursor", None)
            yield Chip(str(field.label), titles.get(value, value), query.urlencode(), aside)
