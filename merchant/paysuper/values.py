"""Single values of PaySuper's documents, read tolerantly (contract §16, §20).

Numbers stay as they were written. Instants are aware UTC; anything before the year 2000 means "not set" and
becomes None. What cannot be read or kept raises Unexpected and nothing else.
"""

import contextlib
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from merchant.paysuper.errors import Unexpected

_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# A day less than what Python can hold: the instant still has to be shown in other zones.
_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
# The database keeps fifteen digits before the point, also after rounding up.
_LARGEST_AMOUNT = Decimal(10) ** 15 - 1
# Far beyond every real document, and well within what PostgreSQL and Python can take.
_DEEPEST, _LARGEST_EXPONENT = 50, 1000
_64_BITS = range(-(2**63), 2**63)

JsonObject = Mapping[str, Any]

_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"000000000")
# How exponents of more than two digits look, and long numbers and fractions, without signs.
_LARGE_EXPONENT, _MANY_DIGITS = b"E000", b"0" * 19
_LONG_NUMBERS = tuple(before + _MANY_DIGITS for before in (b":", b",", b"[", b"."))
_CONTAINERS = (dict, list)


def decimal(value: object) -> Decimal:
    """A number as it was written. What is no sensible amount is Unexpected, null is zero."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unexpected("an amount that is not a number")
    try:
        number = Decimal(value)
    except ArithmeticError as error:
        raise Unexpected("an amount that is not a number") from error
    if not number.is_finite() or abs(number) > _LARGEST_AMOUNT:
        raise Unexpected("an amount out of range")
    return number


def instant(value: object) -> dt.datetime | None:
    """An instant of any of the four forms of contract §16.2, or None when it is not set."""
    moment = _instant_of_text(value) if isinstance(value, str) else _instant_of_seconds(value)
    return moment if moment is not None and _EARLIEST <= moment < _LATEST else None


def localized(value: object) -> str:
    """A text in several languages, in English if there is one, else in the first language."""
    texts = {key: text for key, text in object_of(value).items() if isinstance(text, str) and text}
    return _clean(texts.get("en") or next(iter(texts.values()), ""))


def text_of(source: JsonObject, name: str) -> str:
    """The text `name`; a number's text, and "" for everything that is no text."""
    value = source.get(name)
    if isinstance(value, str):
        return _clean(value)
    return str(value) if isinstance(value, int | Decimal) else ""


def object_of(value: object) -> JsonObject:
    """The object; null is an empty one (contract §20.2)."""
    if type(value) is dict:  # asking for a Mapping takes ten times as long
        return value
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unexpected("an object was expected")
    return value


def list_of(value: object) -> list[object]:
    """The list; null is an empty one (contract §20.2)."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unexpected("a list was expected")
    return value


def uuid_of(value: object) -> UUID | None:
    """The id, or None when it cannot be read."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def kept(value: JsonObject) -> tuple[JsonObject, bytes]:
    """The object as the database can keep it, and its JSON: equal objects give equal bytes.

    Texts, numbers and depth are those that PostgreSQL can take. Raises Unexpected for numbers and depth that
    cannot be changed to such. An object with nothing to change is given back itself.
    """
    with contextlib.suppress(ValueError, RecursionError):
        text = _encode(value)
        if _is_clean(value, text):
            return value, text
    clean = _clean_object(value)
    return clean, _encode(clean)


def _is_clean(value: JsonObject, text: bytes) -> bool:
    """Whether there is surely nothing to change: a quick look at the whole text instead of at each value."""
    # Regular expressions take ten times as long.
    zeros = text.translate(_DIGITS_AS_ZEROS, b"+-")
    # A single byte is found much faster than several, and a backslash is rare.
    if (b"\\" in text and b"\\u0000" in text) or _LARGE_EXPONENT in zeros:
        return False
    if _MANY_DIGITS in zeros and any(each in zeros for each in _LONG_NUMBERS):
        return False
    return text.count(b"{") + text.count(b"[") <= _DEEPEST or _is_flat(value)


def _is_flat(value: JsonObject) -> bool:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        members = [each.values() if type(each) is dict else each for each in level]
        level = [each for some in members for each in some if type(each) in _CONTAINERS]
        if not level:
            return True
    return False


def _clean_object(value: JsonObject, depth: int = 0) -> dict[str, Any]:
    deeper = _deeper(depth)
    return {_clean(str(key)): _clean_deep(each, deeper) for key, each in value.items()}


def _clean(text: str) -> str:
    # PostgreSQL can hold neither NUL nor half a surrogate pair; both occur in what customers type.
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _clean_deep(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if value is None or value is True or value is False:
        return value
    if isinstance(value, dict):
        return _clean_object(value, depth)
    if isinstance(value, list):
        deeper = _deeper(depth)
        return [_clean_deep(each, deeper) for each in value]
    return _clean_number(value) if isinstance(value, int | Decimal) else value


def _clean_number(value: int | Decimal) -> int | Decimal:
    if isinstance(value, int) and value in _64_BITS:
        return value
    number = Decimal(value)
    exponent = int(number.as_tuple().exponent)
    if exponent < -_LARGEST_EXPONENT or number.adjusted() > _LARGEST_EXPONENT:
        raise Unexpected("a number out of range")
    return number


def _deeper(depth: int) -> int:
    if depth >= _DEEPEST:
        raise Unexpected("a document nested too deeply")
    return depth + 1


def _instant_of_text(value: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


def _instant_of_seconds(value: object) -> dt.datetime | None:
    seconds, nanos = value, 0
    if isinstance(value, Mapping):
        seconds, nanos = value.get("seconds", 0), value.get("nanos", 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    if not 0 < seconds < _LATEST.timestamp() or not 0 <= nanos < 10**9:
        return None
    # Whole milliseconds are all that PaySuper stores (contract §16.2).
    return dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(milliseconds=nanos // 1_000_000)
