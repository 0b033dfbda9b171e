"""Requests that nobody should send: every address, with what its forms and filters are called and more."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from django.http import HttpResponseBase
from django.test import Client as Browser
from hypothesis import strategies as st

METHODS = ["GET"] * 5 + ["POST"] * 5 + ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
# What an address, a filter or a form may get, beside what belongs there.
HOSTILE = [
    "",
    " ",
    "0",
    "-1",
    "1",
    "9" * 19,
    "9" * 400,
    "1e999999",
    "NaN",
    "Infinity",
    "-0.00",
    "1.005",
    "0x10",
    "१२३",
    "\0",
    "a\0b",
    "\ufeff",
    "\u202egnp.exe",
    "\U0010ffff",
    "'",
    '"',
    "' OR 1=1 --",
    "'; DROP TABLE merchant_user; --",
    "%",
    "%%s",
    "%00",
    "\\",
    "../../../../etc/passwd",
    "{{7*7}}",
    "{% debug %}",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "//evil.example/",
    "https://evil.example\r\nSet-Cookie: a=b",
    "http://127.0.0.1:1/",
    "http://[::1",
    "file:///etc/passwd",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-01-01T00:00:00Z",
    "24:00",
    "next~2026-01-01T00:00:00+00:00~00000000-0000-0000-0000-000000000000",
    "previous~x~y",
    "last",
    "00000000-0000-0000-0000-000000000000",
    "a@b.example",
    "@",
    "a@" + "b" * 300,
    "all",
    "on",
    "true",
    "null",
    "[]",
    '{"a": 1}',
    "=1+1",
    "x" * 5000,
]
NAMES = (
    "status project product method country currency from to period amount_min amount_max fulfilment type q "
    "sort cursor size view in mode page next seen token query selected everything decision merchant"
).split()
HEADERS = [
    {},
    {},
    {"HX-Request": "true"},
    {"Accept": "application/json"},
    {"Range": "bytes=5-1"},
    {"If-Modified-Since": "yesterday"},
    {"If-None-Match": '"a", W/"b'},
    {"X-Forwarded-For": "not an address"},
    {"X-Request-ID": "\x7f" * 300},
    {"Authorization": "Signature \\xff"},
    {"Referer": "http://testserver/\ud83d"},
]
BODIES = [
    b"",
    b"{}",
    b"[" * 5000,
    b"\xff\xfe",
    b'{"id": "a", "object": {"id": 5}}',
    b"null",
    b"a=1&a=2&" * 50,
]


@dataclass(frozen=True)
class Request:
    """One request of somebody."""

    who: str
    method: str
    pattern: str
    parts: dict[str, str] = field(default_factory=dict)
    query: list[tuple[str, str]] = field(default_factory=list)
    form: list[tuple[str, str]] | bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The path with its parts in place."""
        address = self.pattern
        for part, value in self.parts.items():
            address = address.replace(part, value)
        return address

    def send(self, browser: Browser) -> HttpResponseBase:
        """What is answered; an error of ours is raised."""
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.query)
        headers = {
            name: value.encode(errors="replace").decode("latin-1") for name, value in self.headers.items()
        }
        if isinstance(self.form, bytes):
            body, kind = self.form, "application/json"
        else:
            text = "&".join(f"{quote(name)}={quote(value)}" for name, value in self.form)
            body, kind = text.encode(), "application/x-www-form-urlencoded"
        return browser.generic(
            self.method,
            quote(self.address),
            body,
            kind,
            query_params=None,
            headers=headers,
            QUERY_STRING=query,
        )


def requests(
    patterns: dict[str, dict[str, str]], people: list[str], fields: list[str], known: list[str]
) -> st.SearchStrategy[Request]:
    """Any request: `patterns` are addresses with what belongs into them, `known` the merchant's own ids."""
    texts = st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from(known),
        st.text(st.characters(codec="utf-8"), max_size=40),
        st.integers(-(10**25), 10**25).map(str),
    )
    names = st.one_of(st.sampled_from(fields), st.sampled_from(NAMES), st.text("abc_[]-0", max_size=8))
    pairs = st.lists(st.tuples(names, texts), max_size=8)

    @st.composite
    def request(draw: st.DrawFn) -> Request:
        pattern = draw(st.sampled_from(sorted(patterns)))
        parts = {
            part: right if draw(st.integers(0, 3)) else draw(_fitting(part))
            for part, right in patterns[pattern].items()
        }
        return Request(
            draw(st.sampled_from(people)),
            draw(st.sampled_from(METHODS)),
            pattern,
            parts,
            draw(pairs) if draw(st.booleans()) else [],
            draw(st.sampled_from(BODIES)) if draw(st.integers(0, 5)) == 0 else draw(pairs),
            draw(st.sampled_from(HEADERS)),
        )

    return request()


def _fitting(part: str) -> st.SearchStrategy[str]:
    """Another value that this part of an address takes."""
    if "int:" in part:
        return st.sampled_from(
            ["0", "1", "2147483648", "9223372036854775807", "9223372036854775808", "9" * 60]
        )
    if "uuid:" in part:
        return st.uuids().map(str)
    if "slug:" in part:
        return st.sampled_from(["a", "-", "5f8a1d2b9b3d4e0001a7c2f1", "f" * 24, "F" * 300, "_"])
    return st.sampled_from(["a", "0", "%00", "x" * 500, "é", "' OR 1=1 --", "a-b-c"])


def form_fields(page: str) -> set[str]:
    """The names of everything that a page's forms send."""
    return set(re.findall(r'\sname="([^"]+)"', page))
