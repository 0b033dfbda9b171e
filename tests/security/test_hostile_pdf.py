"""What strangers write is text in a PDF: it acts as nothing, asks for nothing and fills no thousand pages."""

import contextlib
import io
import json
import socket
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from merchant.models import Merchant, Project
from merchant.money import display
from tests.conftest import Person
from tests.transactions.export_rows import everything, make_project, sale, unsaved
from tests.transactions.test_card import CARD
from tests.transactions.test_pages import keep, load
from transactions import receipt
from transactions.exports import Heading, pdf_file, write
from transactions.models import Item, RawOrder, Transaction

pytestmark = pytest.mark.django_db(transaction=True)

ACTS = {
    *("/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/Filespec"),
    *("/URI", "/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/RichMedia", "/AcroForm", "/XFA", "/Annots"),
    *("/Annot", "/Action", "/Movie", "/Sound", "/Rendition", "/Names"),
}
ROWS, PAGES_OF_SUMS = 40, 3
# No font has these, and in a file with such a sign pypdf reads no other one of its font.
UNSEEN = "a\u2028b\x85c\ufffed\uffffe\x7ff\x1b"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Where texts lead to; nobody comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def nobody_came(listener: socket.socket) -> bool:
    with contextlib.suppress(BlockingIOError):
        listener.accept()
        return False
    return True


def texts(listener: socket.socket) -> list[str]:
    """Attacks on whatever makes a page, a style or a file of them."""
    place = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    return [
        f"<script>app.alert('{place}')</script><img src={place}a>",
        f"<link rel=attachment href={place}b><object data='{place}c'></object>",
        f'<a href="{place}d">x</a><a href="javascript:alert(1)">y</a>',
        "<iframe src=file:///etc/passwd></iframe><link rel=stylesheet href=file:///etc/passwd>",
        f"</style></title><style>@import url({place}e);*{{background:url({place}f)}}</style>",
        f"\\75 rl({place}g) \\3c script\\3e  }} p::after{{content:url({place}h)",
        ") /OpenAction << /S /JavaScript /JS (app.alert(1)) >> (",
        "\\) \\\\( \\251 << /S /Launch /F (cmd.exe) >> \\",
        "endstream endobj 7 0 obj << /S /URI /URI (http://evil.example) >> endobj 9999 0 R",
        "startxref 0 %%EOF trailer << /Root 1 0 R >> <FEFF0041> [/EmbeddedFile]",
        "\u202egnp.exe\u2066 \\ud800 &#xd800; &#0; &lt;b&gt;",
        "zalgo " + "a" + "\u0301\u0327" * 200,
        "W" * 3_000,
        "{{ 7|add:7 }}{% now 'Y' %}%s %(a)s",
    ]


def named(thing: Any, seen: set[str]) -> set[str]:
    """The names that a part of the file uses, as keys or as values."""
    if isinstance(thing, NameObject):
        seen.add(str(thing))
    elif isinstance(thing, DictionaryObject):
        for key, value in thing.items():
            named(key, seen)
            named(value, seen)
    elif isinstance(thing, ArrayObject):
        for value in thing:
            named(value, seen)
    return seen


def read(content: bytes) -> tuple[str, int]:
    """The letters of a file that only says something, and the number of its pages."""
    reader, seen = PdfReader(io.BytesIO(content), strict=True), set[str]()
    for number in {*reader.xref.get(0, {}), *reader.xref_objStm}:
        if number:
            named(reader.get_object(number), seen)
    named(reader.trailer, seen)
    assert seen & ACTS == set()
    assert "/Page" in seen
    return letters("".join(page.extract_text() for page in reader.pages)), len(reader.pages)


def letters(text: str) -> str:
    """Without spaces, of which paper has others, and without what has no form of its own."""
    return "".join(
        sign for sign in text if sign == "€" or (sign.isascii() and sign.isprintable() and sign != " ")
    )


def rows_of(project: Project, listener: socket.socket) -> None:
    """Rows whose every text is an attack, the same one over the whole row."""
    planted = texts(listener)
    columns = ("product", "customer_name", "customer_id", "customer_email", "transaction_id", "method_title")
    room = {name: Transaction._meta.get_field(name).max_length for name in columns}
    Transaction.objects.bulk_create(
        unsaved(
            project,
            number,
            charge_amount=Decimal("0.10"),
            **{name: planted[number % len(planted)][: room[name]] for name in columns},
        )
        for number in range(ROWS)
    )


def test_an_export_says_what_was_written_and_does_nothing(tmp_path: Path, listener: socket.socket) -> None:
    project, planted = make_project(), texts(listener)
    rows_of(project, listener)
    Project.objects.update(name=planted[0])
    heading = Heading(planted[6], "Europe/Berlin", " · ".join(planted), planted[8])
    write("pdf", everything(), tmp_path / "a.pdf", heading)
    text, pages = read((tmp_path / "a.pdf").read_bytes())
    assert nobody_came(listener)
    assert "€4.00" in text
    assert pages <= PAGES_OF_SUMS + -(-ROWS // pdf_file.ROWS_PER_PAGE) + len("".join(planted)) // 4000
    for each in (*planted[:4], *planted[6:10]):
        assert letters(each) in text, each
    assert text.count("€0.10") == ROWS
    assert "root:" not in text


def test_a_heading_of_every_kind_leaves_the_file_whole(tmp_path: Path, listener: socket.socket) -> None:
    sale(make_project())
    planted = texts(listener)
    for merchant, filters, author in [planted[7:10], [planted[5], planted[12], UNSEEN]]:
        write("pdf", everything(), tmp_path / "a.pdf", Heading(merchant[:200], "UTC", filters, author[:150]))
        content = (tmp_path / "a.pdf").read_bytes()
        text, pages = read(content)
        known = PdfReader(io.BytesIO(content)).metadata
        assert letters(known.title) == letters(f"Transactions of {merchant[:200]}")
        assert letters(known.author) == letters(author[:150])
        assert author == UNSEEN or letters(filters) in text
        assert pages <= PAGES_OF_SUMS + len(filters) // 4000
    assert nobody_came(listener)


def test_a_receipt_says_what_was_written_and_does_nothing(
    ann: Person, lantern: Merchant, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt, "SECONDS", 120)
    entry, planted = keep(lantern, CARD), texts(listener)
    Merchant.objects.update(name=planted[6])
    Project.objects.update(name=planted[7])
    Transaction.objects.update(
        transaction_id=planted[8], method_title=planted[9][:100], refund_receipt=planted[1][:50]
    )
    Item.objects.bulk_create(
        Item(
            merchant=lantern, transaction=entry, position=9 + at, name=name[:500], sku=name[:255], amount=1,
            currency="EUR",
        )
        for at, name in enumerate(planted)
    )  # fmt: skip
    document = load(CARD)
    document["user"] |= {"name": "W" * 300_000, "email": planted[0] * 1000}
    document["payment_method"]["card"] |= {"brand": planted[3] * 1000}
    RawOrder.objects.update(document=json.loads(json.dumps(document, default=float)))
    answer = ann.browser.get(f"/transactions/{entry.pk}/receipt/")
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{entry.pk}.pdf"'
    text, pages = read(answer.content)
    assert nobody_came(listener)
    assert pages <= 6
    # Without the one whose letters f and i are joined on paper.
    for each in (*planted[:3], *planted[6:10]):
        assert letters(each) in text, each
    assert letters(display(entry.charge_amount, entry.charge_currency)) in text
    assert "root:" not in text
