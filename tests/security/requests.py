"""Requests that nobody should send: every address, with what its forms and filters are called and more."""

from dataclasses import dataclass, field
from urllib.parse import quote

from django.http import HttpResponseBase
from django.test import Client as Browser
from hypothesis import strategies as st

# One request of fifty tries a method that the address does not take.
ANY_METHOD = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
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


@dataclass(frozen=True)
class Place:
    """An address: which methods it takes, what belongs into it, and what its forms would send there."""

    pattern: str
    methods: list[str]
    parts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def requests(places: list[Place], people: list[str], known: list[str]) -> st.SearchStrategy[Request]:
    """Any request, mostly of a form with some of its fields spoiled: `known` are ids, also foreign ones."""
    names = sorted({name for place in places for fields in place.fields.values() for name in fields})
    texts = st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from(known),
        st.text(st.characters(codec="utf-8"), max_size=40),
        st.integers(-(10**25), 10**25).map(str),
    )
    any_name = st.one_of(st.sampled_from([*names, *NAMES]), st.text("abc_[]-0", max_size=8))
    strange = st.lists(st.tuples(any_name, texts), max_size=5)
    one_of_many, shares = st.integers(0, 49), st.integers(0, 9)

    @st.composite
    def filled_in(draw: st.DrawFn, fields: dict[str, list[str]]) -> list[tuple[str, str]]:
        spoiled = draw(shares)  # of ten fields, in this form
        pairs = []
        for name, values in fields.items():
            fate = draw(shares)
            if fate >= spoiled:
                pairs.append((name, draw(st.sampled_from(values))))
            elif fate:
                pairs.append((name, draw(texts)))
        return pairs

    @st.composite
    def request(draw: st.DrawFn) -> Request:
        place = draw(st.sampled_from(places))
        method = draw(st.sampled_from(place.methods if draw(one_of_many) else ANY_METHOD))
        parts = {
            part: right if draw(shares) > 1 else draw(st.one_of(_fitting(part), _foreign(part, known)))
            for part, right in place.parts.items()
        }
        query = draw(filled_in(place.fields.get("GET", {}))) + (draw(strange) if draw(shares) < 3 else [])
        form: list[tuple[str, str]] | bytes = b""
        if method == "POST":
            form = draw(filled_in(place.fields.get("POST", {}))) + (draw(strange) if draw(shares) < 3 else [])
        if not draw(one_of_many):
            form = draw(st.sampled_from(BODIES))
        headers = draw(st.sampled_from(HEADERS))
        return Request(draw(st.sampled_from(people)), method, place.pattern, parts, query, form, headers)

    return request()


def _foreign(part: str, known: list[str]) -> st.SearchStrategy[str]:
    """An id of something else, as far as this part of an address takes it."""
    fits = {"int": str.isdigit, "uuid": lambda each: each.count("-") == 4, "slug": str.isalnum}
    fit = fits.get(part.strip("<>").partition(":")[0], bool)
    return st.sampled_from([each for each in known if fit(each)])


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
