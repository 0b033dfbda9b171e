"""The bodies that a pasted one may have been before something on its way changed it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

_STRING_OR_BLANKS = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|\s+', re.DOTALL)
# What Go's encoder, which PaySuper writes with, escapes beside what JSON demands.
_ESCAPED_BY_GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_BOM = "\ufeff"
_READ_RAW = "Verify the bytes as they arrive, before any framework parses, decodes or trims them."


@dataclass(frozen=True)
class Reading:
    """One way to read a body; `what` completes "right for the body …" and is "" for the body as it is."""

    bytes: bytes
    what: str = ""
    advice: str = ""


def readings(body: str) -> Iterator[Reading]:
    """The body as pasted, then each change that is commonly made by mistake, undone. None twice."""
    seen: set[bytes] = set()
    for text, what, advice in _texts(body):
        raw = text.encode(errors="replace")
        if raw not in seen:
            seen.add(raw)
            yield Reading(raw, what, advice)


def _texts(body: str) -> Iterator[tuple[str, str, str]]:
    yield body, "", ""
    trimmed = body.rstrip("\r\n")
    yield trimmed, "without the line end after it", "Something added a line end. " + _READ_RAW
    yield body + "\n", "with a line end after it", "The line end belongs to what was signed."
    yield body.replace("\n", "\r\n"), "with CR LF as line ends", _LINE_ENDS
    yield trimmed.replace("\n", "\r\n") + "\r\n", "with CR LF as line ends, also after it", _LINE_ENDS
    yield body.removeprefix(_BOM), "without the byte order mark before it", "Save without BOM. " + _READ_RAW
    yield _BOM + body, "with a byte order mark before it", "The sender signed a BOM along with the body."
    yield body.strip(f"{_BOM} \t\r\n"), "without the blanks around it", "Something padded it. " + _READ_RAW
    yield from _serialised(body.removeprefix(_BOM))


_LINE_ENDS = "Line ends were changed on the way, by an editor or by pasting. " + _READ_RAW


def _serialised(body: str) -> Iterator[tuple[str, str, str]]:
    """The same JSON as other programs write it: members, their order and numbers stay as they are."""
    try:
        msgspec.json.decode(body.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return  # and strings without an end would take long to look through
    advice = "The JSON was parsed and written again. " + _READ_RAW
    for text, style in ((_kept, ""), (_as_go, "<, > and & escaped"), (_plain, "nothing escaped")):
        how = f", {style}" if style else ""
        yield _rewritten(body, text), f"without blanks between its members{how}", advice
    yield _rewritten(body, json.dumps), "without blanks between its members, all but ASCII escaped", advice


def _rewritten(body: str, of: Callable[[object], str]) -> str:
    """Without blanks outside of strings; each string as `of` writes it, or as it was for `_kept`."""

    def token(match: re.Match[str]) -> str:
        if not match[1]:
            return ""
        return match[1] if of is _kept else of(json.loads(match[1], strict=False))

    return _STRING_OR_BLANKS.sub(token, body)


def _kept(value: object) -> str:
    return str(value)


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _as_go(value: object) -> str:
    text = _plain(value)
    for sign, escaped in _ESCAPED_BY_GO.items():
        text = text.replace(sign, escaped)
    return text
