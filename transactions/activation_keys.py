"""Activation keys in mirrored documents: they are money, so they lie there as ciphertext (contract §6.4)."""

from collections.abc import Mapping
from typing import Any

from merchant.encryption import seal, unseal
from merchant.paysuper.records import OrderRecord
from merchant.paysuper.values import kept

_MEMBER = "code"


def document_of(order: OrderRecord) -> str:
    """The order's document as JSON, its activation keys sealed. One without keys is given as it is."""
    items = order.raw.get("items")
    if not items or not isinstance(items, list) or not any(_has_key(item) for item in items):
        return order.document.decode()
    sealed = [{**item, _MEMBER: seal(str(item[_MEMBER]))} if _has_key(item) else item for item in items]
    return kept({**order.raw, "items": sealed})[1].decode()


def is_there(item: Mapping[str, Any]) -> bool:
    """Whether an item of a kept document has a key; without opening it."""
    return isinstance(item.get(_MEMBER), str) and bool(item[_MEMBER])


def opened(item: Mapping[str, Any]) -> str:
    """The key of an item of a kept document, "" when it has none. Never log it."""
    return unseal(item[_MEMBER]) if is_there(item) else ""


def _has_key(item: Any) -> bool:
    # PaySuper writes texts; what is no text is a secret all the same.
    return isinstance(item, dict) and bool(item.get(_MEMBER))
