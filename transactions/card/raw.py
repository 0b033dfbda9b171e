"""Raw records for developers: everything as PaySuper gave it, but for what is worth money or opens doors."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode
_HIDDEN = "••••••"
_SECRET = re.compile(r"secret|token|password|private_key", re.IGNORECASE)


def readable(document: Any) -> str:
    """A raw record as indented JSON; activation keys and secrets stay masked (contract §6.4, §20.10)."""
    return msgspec.json.format(_encode(_masked(document)), indent=2).decode()


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _HIDDEN if each and _hides(key, value) else _masked(each) for key, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


def _hides(key: str, source: Mapping[str, Any]) -> bool:
    return (key == "code" and "platform_id" in source) or bool(_SECRET.search(key))
