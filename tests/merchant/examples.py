"""The contract's own examples, read as the client reads answers."""

import functools
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parents[1] / "paysuper" / "examples"
CARD = "admin.order.simple.processed.card.json"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def load(name: str) -> Any:
    """One example, its numbers exact."""
    return _decode((FOLDER / name).read_bytes())


@functools.cache
def named(*schemas: str) -> list[str]:
    """The names of all examples of these schemas."""
    index = json.loads((FOLDER / "INDEX.json").read_text())
    return [entry["file"] for entry in index if entry["schema"] in schemas]


def order(**changes: object) -> dict[str, Any]:
    """The plain card payment with other members."""
    return load(CARD) | changes
