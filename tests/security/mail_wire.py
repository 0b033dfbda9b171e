"""Mails as they leave: taken from a mail server byte by byte, and read as another server reads them."""

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings as live

from tests.fulfillment.post_office import PostOffice, connect

MARKUP = "<i onx=7>"
ELSEWHERE = ("http://evil.example/x", "www.evil.example")
HEADERS = {
    *("content-type", "mime-version", "content-transfer-encoding", "subject", "from", "to", "reply-to"),
    *("date", "message-id", "auto-submitted"),
}
TYPES = {
    *("multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html"),
    *("text/csv", "image/png"),
}
NOT_SEEN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
_LONGEST_LINE = 998


@dataclass(frozen=True)
class Sent:
    """A mail as the server got it."""

    recipients: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail as a program reads it."""
        found = email.message_from_bytes(self.raw, policy=email.policy.SMTP)
        assert isinstance(found, EmailMessage)
        return found

    def text(self, kind: str) -> str:
        """The text or the HTML."""
        part = self.mail.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""


class Wire(PostOffice):
    """A mail server that keeps every byte."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Sent] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.sent.append(Sent(list(envelope.rcpt_tos), bytes(envelope.content)))
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def wire(settings: Any) -> Iterator[Wire]:
    """The mail server that the product uses."""
    server = Wire()
    connect(settings, server)
    settings.BASE_URL = "https://pay.example"
    yield server
    server.controller.stop()


class _Markup(HTMLParser):
    """Every address that the HTML names, and every attribute that acts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.acts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.addresses += [given[name] for name in ("href", "src", "background", "action") if name in given]
        self.acts += [name for name in given if name.startswith("on")]
        self.acts += [tag] if tag in ("script", "link", "iframe", "object", "form", "base", "i") else []


def troubles(sent: Sent, support: str = "") -> list[str]:
    """Everything that is wrong with a mail, in words."""
    return [
        *_of_bytes(sent.raw),
        *_of_headers(sent.mail, sent.recipients, support),
        *_of_parts(sent, support),
    ]


def _of_bytes(raw: bytes) -> Iterator[str]:
    lines = raw.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        yield "a bare line end or a NUL"
    if max(map(len, lines)) > _LONGEST_LINE:
        yield f"a line of {max(map(len, lines))} bytes"
    if not raw.isascii():
        yield "eight bits"
    names = Counter[str]()
    for line in lines[: lines.index(b"")]:
        if line[:1] not in (b" ", b"\t"):
            name, colon, _ = line.decode("latin-1").partition(":")
            names[name.lower() if colon else f"no header: {name}"] += 1
    for name, count in names.items():
        if name not in HEADERS or count > 1:
            yield f"{count} × {name}"
    for name in ("from", "to", "subject", "message-id"):
        if not names[name]:
            yield f"no {name}"


def _of_headers(mail: EmailMessage, recipients: list[str], support: str) -> Iterator[str]:
    for name, value in mail.items():
        if NOT_SEEN.search(str(value)):
            yield f"{name}: {value!r}"
    wanted = {"From": ["receipts@pay.example"], "To": recipients}
    wanted["Reply-To"] = [support] if support and "Reply-To" in mail else []
    for name, addresses in wanted.items():
        found = [each.addr_spec for each in mail[name].addresses] if name in mail else []
        if found != addresses:
            yield f"{name}: {found} instead of {addresses}"


def _of_parts(sent: Sent, support: str) -> Iterator[str]:
    for part in sent.mail.walk():
        if part.defects or part.get_content_type() not in TYPES:
            yield f"{part.get_content_type()} {part.defects}"
        name = part.get_filename()
        if name and not re.fullmatch(r"\w[\w-]*\.\w+", name):
            yield f"the name {name!r}"
    html = sent.text("html")
    seen = _Markup(html)
    ours = (f"{live.BASE_URL}/", "cid:logo", *([f"mailto:{support}"] if support else []))
    yield from (f"a way to {each}" for each in seen.addresses if not each.startswith(ours))
    yield from (f"the markup {each}" for each in seen.acts)
    if re.search(r"url\(|@import", html.partition("<body")[0]):
        yield "a style that loads"


def checked(wire: Wire, recipients: list[str], support: str = "") -> int:
    """How many mails show the planted text as a text. All went where they were meant to, unharmed."""
    assert [each.recipients for each in wire.sent] == [[each] for each in recipients]
    found = {each.mail["Subject"]: trouble for each in wire.sent if (trouble := troubles(each, support))}
    assert not found, found
    return sum("&lt;i onx=7&gt;" in each.text("html") for each in wire.sent)
