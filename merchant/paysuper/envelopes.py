"""What is inside an answer: PaySuper wraps in three styles, so the shape decides (contract §9)."""

from collections.abc import Mapping

from merchant.paysuper.values import list_of, object_of

_LISTS = ("items", "products", "platforms", "merchants")


def listed(document: object) -> list[object]:
    """The entries of a list, bare or under any of its names; null and absent are the empty list (§1)."""
    if isinstance(document, list):
        return document
    source = object_of(document)
    return list_of(next((source[name] for name in _LISTS if source.get(name) is not None), None))


def single(document: object) -> object:
    """One object, bare or wrapped in `item`."""
    return document["item"] if isinstance(document, Mapping) and "item" in document else document
