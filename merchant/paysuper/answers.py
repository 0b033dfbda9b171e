"""What an answer of PaySuper says: its document, or why there is none."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from merchant.paysuper.errors import PaySuperError, error_for

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def decoded(body: bytes) -> Any:
    """The document, its numbers exact. Raises ValueError, ArithmeticError or RecursionError."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        # Half a surrogate pair is no JSON to the quick reader, but customers type such and one must not
        # hide the rest of its page.
        return json.loads(body, parse_float=Decimal, parse_constant=str)


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> PaySuperError:
    """The error for an answer that is no success, whatever its body (contract §3)."""
    code = message = ""
    try:
        answer = msgspec.json.decode(body)
        code, message = _printable(answer.get("code", "")), _printable(answer.get("message", ""))
    except (msgspec.DecodeError, ValueError, RecursionError, AttributeError):
        pass  # a proxy in front may answer with any body (contract §1)
    return error_for(status, code, message, retry_after=_retry_after(headers))


def _printable(value: object) -> str:
    # Ends in logs and in the database, which refuses NUL.
    return "".join(each if each.isprintable() else " " for each in str(value)[:200])


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
