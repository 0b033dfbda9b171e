"""What an answer of PaySuper says: its document, or why there is none."""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from merchant.paysuper.errors import PaySuperError, error_for

_LONGEST_RETRY_AFTER = 24 * 3600.0
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
    """The error for an answer that is no success, whatever its body (contract §3).

    OAuth2 calls its code `error` (RFC 6749 §5.2).
    """
    code = message = ""
    try:
        answer = msgspec.json.decode(body)
        code = _printable(answer.get("code", answer.get("error", "")))
        message = _printable(answer.get("message", ""))
    except (msgspec.DecodeError, ValueError, RecursionError, AttributeError):
        pass  # a proxy in front may answer with any body (contract §1)
    return error_for(status, code, message, retry_after=_retry_after(headers))


def _printable(value: object) -> str:
    # Ends in logs and in the database, which refuses NUL.
    return "".join(each if each.isprintable() else " " for each in str(value)[:200])


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the next try, of either form (RFC 9110 §10.2.3); None for what makes no sense."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value) if value.isascii() and value.isdigit() else _seconds_until(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if seconds <= _LONGEST_RETRY_AFTER else None


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max((aware - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)
