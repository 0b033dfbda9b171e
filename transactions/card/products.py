"""What was bought, and the activation keys that were handed out for it (contract §6.4, §8.2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from transactions import activation_keys
from transactions.card.facts import Document
from transactions.models import Item


@dataclass(frozen=True)
class Product:
    """One line of the products table. The key itself is not in it."""

    item: Item
    description: str
    has_key: bool


def products(items: Iterable[Item], document: Document) -> list[Product]:
    """The items of an order with what only its document knows."""
    return [
        Product(
            item,
            _text(_source(document, item.position), "description"),
            activation_keys.is_there(_source(document, item.position)),
        )
        for item in items
    ]


def key_of(document: Document, position: int) -> str:
    """The activation key of the item at this position; "" when there is none. It is money: never log it."""
    return activation_keys.opened(_source(document, position))


def _source(document: Document, position: int) -> Document:
    items = document.get("items")
    found = items[position] if isinstance(items, list) and position < len(items) else None
    return found if isinstance(found, Mapping) else {}


def _text(source: Document, name: str) -> str:
    value = source.get(name)
    return value if isinstance(value, str) else ""
