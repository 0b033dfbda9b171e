"""How a person wants the list of a merchant: kept with the membership, so that it costs no query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from merchant.models import Membership
from transactions import tables

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50
_ALL = tuple(dict.fromkeys([*tables.DEFAULT_COLUMNS, *tables.COLUMNS]))


@dataclass(frozen=True)
class Preferences:
    """The columns in the order they are offered, those that are shown, the density and the page's size.

    `default_view` is the saved view that the list opens with, by its id; it may have gone since.
    """

    order: Sequence[str] = _ALL
    shown: frozenset[str] = frozenset(tables.DEFAULT_COLUMNS)
    compact: bool = False
    page_size: int = DEFAULT_PAGE_SIZE
    default_view: int | None = None

    @property
    def columns(self) -> Sequence[str]:
        """The columns that are shown, in their order."""
        return [name for name in self.order if name in self.shown]

    @property
    def are_own_columns(self) -> bool:
        """Whether the person has chosen other columns than those that everybody begins with."""
        return tuple(self.columns) != tables.DEFAULT_COLUMNS


def of(membership: Membership) -> Preferences:
    """What the person prefers. What is not known any more is left out."""
    kept = membership.list_preferences
    size, view = kept.get("page_size"), kept.get("default_view")
    return Preferences(
        order=complete_order(kept.get("order", ())),
        shown=shown_columns(kept.get("shown", tables.DEFAULT_COLUMNS)),
        compact=kept.get("compact") is True,
        page_size=size if size in PAGE_SIZES else DEFAULT_PAGE_SIZE,
        default_view=view if isinstance(view, int) else None,
    )


def keep(membership: Membership, changes: Mapping[str, Any]) -> None:
    """Remember these; None forgets one. Other preferences stay as they are in the database by now."""
    with transaction.atomic():
        current = Membership.objects.select_for_update().get(pk=membership.pk)
        kept = {**current.list_preferences, **changes}
        current.list_preferences = {name: value for name, value in kept.items() if value is not None}
        current.save(update_fields=["list_preferences"])
    membership.list_preferences = current.list_preferences


def complete_order(names: Sequence[str]) -> Sequence[str]:
    """All columns: first the named ones in this order, then the rest."""
    return tuple(dict.fromkeys([*(name for name in names if name in tables.COLUMNS), *_ALL]))


def shown_columns(names: Sequence[str]) -> frozenset[str]:
    """The known ones of these columns, and the one that opens the transaction."""
    return frozenset(names) & frozenset(_ALL) | {tables.LINK}


def moved(order: Sequence[str], name: str, step: int) -> Sequence[str]:
    """The order with this column one place on (step 1) or back (-1); at the ends nothing moves."""
    names = list(order)
    if name in names:
        here = names.index(name)
        there = min(max(here + step, 0), len(names) - 1)
        names.insert(there, names.pop(here))
    return tuple(names)
