"""What must not stand in a log, masked in every line, whoever has written it."""

import functools
import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

MASK = "******"
# Members of that name are secrets, whatever they say; numbers such as a status code are none.
_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|authorization|cookie|api_?key|private|signature|^(?:key|body|document)$",
    re.IGNORECASE,
)
# Written by the log itself, in forms of its own.
_OURS = frozenset({"timestamp", "level", "logger", "request_id", "task_id", "parent_task_id"})
# One of these words, in small letters, must occur for a pattern to be tried; then what it leaves.
_PATTERNS = (
    # Of addresses: credentials, parameters that are secrets, and parts that nobody is to guess.
    (("://",), re.compile(r"(?<=://)[^/\s@\"']+@"), f"{MASK}@"),
    (
        ("?", "&"),
        re.compile(r"(?i)([?&](?:[a-z_]*(?:secret|token|passw|key|code|email)[a-z_]*|q)=)[^&\s\"']+"),
        rf"\1{MASK}",
    ),
    (
        ("/",),
        re.compile(
            r"(?<=/)(?![0-9a-f]{24}(?![\w-])|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-)"
            r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?=[/?\s\"']|\Z)"
        ),
        MASK,
    ),
    # Of headers and settings.
    (
        ("bearer", "signature", "basic"),
        re.compile(r"(?i)\b(bearer|signature|basic)(\s+)[\w.~+/=-]{8,}"),
        rf"\1\2{MASK}",
    ),
    (
        ("secret", "token", "passw", "api"),
        re.compile(
            r"(?i)([\"']?\b\w*(?:secret|token|passw(?:or)?d|api_?key)\w*[\"']?\s*[:=]\s*[\"']?)[^\s\"',}&]{4,}"
        ),
        rf"\1{MASK}",
    ),
    (
        ("whsec_", "gaaaa", "eyj"),
        re.compile(r"\bwhsec_[\w+/=]+|\bgAAAA[\w-]{20,}={0,2}|\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
        MASK,
    ),
    # Activation keys: groups of capitals and digits.
    (("-",), re.compile(r"(?<![\w-])[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,}(?![\w-])"), MASK),
    # PostgreSQL shows the row that it refuses.
    (("detail: ",), re.compile(r"(?m)(DETAIL: ).*$"), rf"\1{MASK}"),
    (("@",), re.compile(r"[^\s@<>\"'(),;:=/*\[\]{}]+@(?=[\w-]+\.)"), "***@"),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
_SHORTEST_CARD = 13


def masked(value: Any, name: str = "") -> Any:
    """A copy of what a log line says, as it may be written."""
    if isinstance(value, str):
        return MASK if value and _is_secret(name) else _masked_text(value)
    if isinstance(value, Mapping):
        return {key: each if key in _OURS else masked(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, name) for each in value]
    return masked(repr(value), name) if isinstance(value, bytes | BaseException) else value


def processor(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The last step before a line is written."""
    written: Mapping[str, Any] = masked(event)
    return written


class Filter(logging.Filter):
    """Masks the lines of libraries, also for those who look at records instead of lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record and let it pass."""
        if isinstance(record.msg, str):
            record.msg, record.args = masked(record.getMessage()), ()
        return True


@functools.lru_cache(1000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _masked_text(text: str) -> str:
    lowered = text.lower()
    for words, pattern, left in _PATTERNS:
        if any(word in lowered for word in words):
            text = pattern.sub(left, text)
    return _CARD.sub(_without_card, text) if len(text) >= _SHORTEST_CARD else text


def _without_card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found[0])
    return f"***{digits[-4:]}" if _is_card_number(digits) else found[0]


def _is_card_number(digits: str) -> bool:
    """Whether the last digit is the check digit that card numbers have (Luhn)."""
    doubled = [int(each) * (1 + place % 2) for place, each in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0  # noqa: PLR2004 - digits
