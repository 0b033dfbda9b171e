"""The control code of an export: a short sign that two people speak of the same rows of the same moment."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from transactions.exports.report import Sum

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U, which are misread
_LENGTH, _GROUP = 12, 4
# What people type instead.
_MISREAD = str.maketrans("ILO", "110", " -\t")


def code(asked: str, as_of: datetime, sums: Sequence[Sum]) -> str:
    """Twelve signs, such as "7KQ2-9MPX-04TD", over what was asked for, the instant, the rows and the sums."""
    told = [[each.currency, each.status, each.count, f"{each.amount:f}"] for each in sums]
    said = json.dumps([asked, as_of.astimezone(UTC).isoformat(), told])
    number = int.from_bytes(hashlib.sha256(said.encode()).digest())
    signs = "".join(_ALPHABET[number >> 5 * place & 31] for place in range(_LENGTH))
    return "-".join(signs[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def read(text: str) -> str:
    """The code that somebody typed, with or without dashes, in either case; "" if it cannot be one."""
    signs = text.upper().translate(_MISREAD)
    if len(signs) != _LENGTH or not set(signs) <= set(_ALPHABET):
        return ""
    return "-".join(signs[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
