"""Which items of an order have been handed over."""

from collections import Counter
from dataclasses import dataclass

from fulfillment.models import FulfilledItem
from transactions.models import Fulfilment, Item, Transaction

# The product, and which of the order's items of that product it is (0 for the first).
Key = tuple[str, int]


@dataclass(frozen=True)
class ItemState:
    """An item of an order, and whether it has been handed over."""

    key: Key
    item: Item
    is_fulfilled: bool

    @property
    def value(self) -> str:
        """The key as a form sends it."""
        return f"{self.key[1]}~{self.key[0]}"

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.item.name or self.item.sku or self.item.product_id


def states(entry: Transaction) -> list[ItemState]:
    """The items of an order in its own order; empty for a sum without items.

    A fulfilled order has handed over everything, also one that was fulfilled before items were noted.
    """
    done = _done(entry)
    seen: Counter[str] = Counter()
    found = []
    for item in entry.items.all():
        key = (item.product_id, seen[item.product_id])
        seen[item.product_id] += 1
        found.append(ItemState(key, item, done is None or key in done))
    return found


def in_words(chosen: list[ItemState]) -> str:
    """The names of these items, as far as a column holds them."""
    return ", ".join(each.title for each in chosen)[:500]


def _done(entry: Transaction) -> set[Key] | None:
    """What is handed over; None for everything."""
    if entry.fulfilment == Fulfilment.UNFULFILLED:
        return set()
    if entry.fulfilment == Fulfilment.FULFILLED:
        return None
    noted = set(FulfilledItem.objects.filter(transaction=entry).values_list("product_id", "number"))
    return None if entry.fulfilment == Fulfilment.WITHDRAWN and not noted else noted
