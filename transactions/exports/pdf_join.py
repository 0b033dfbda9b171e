"""Joins the pieces of a report into one tagged PDF (ISO 32000-1), in one pass and without keeping them.

The pieces come from `pdf_piece`: plain numbered objects with their streams, each with a tree of its own that
says what is a heading, a table, a cell. pypdf would take longer over these trees than the drawing takes.
"""

import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import NamedTuple

_CATALOG, _PAGES, _INFO, _STRUCTURE, _DOCUMENT, _PARENTS = range(1, 7)
_OWN = 6
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_OBJECT = re.compile(rb"(\d+) 0 obj\n(.*)\nendobj\s*", re.DOTALL)
_PAGE_NUMBER = re.compile(rb"/StructParents (\d+)")
# WeasyPrint numbers the headers of tables by an object, a row and a column.
_HEADER = re.compile(rb"\((\d+)(-\d+-\d+)\)")
_MAPPED = re.compile(rb"(\d+) \[")
_IN_A_STREAM = 200


class NotAPiece(Exception):
    """A piece is built in another way than these that this module knows."""


@dataclass(frozen=True)
class Facts:
    """What the joined file says about itself; `created` is as PDF has dates."""

    title: str
    author: str
    created: str
    language: str = "en"


class _Piece(NamedTuple):
    """Numbers of the objects in the joined file that stand for a piece."""

    pages: int
    number_of_pages: int
    structure: int
    parents: int


def join(parts: Iterable[Path], path: Path, facts: Facts) -> None:
    """Write the pages of the parts as one PDF. Raises NotAPiece for files that are not from `pdf_piece`."""
    with path.open("wb") as file:
        joined = _Joined(file)
        pieces: list[_Piece] = []
        for part in parts:
            pieces.append(_add(joined, part.read_bytes(), sum(piece.number_of_pages for piece in pieces)))
        _roots(joined, pieces, facts)
        joined.finish()


class _Joined:
    """The file that grows; small objects are kept until there are enough for a stream of them."""

    def __init__(self, file: BufferedWriter) -> None:
        self._file = file
        self._places: dict[int, tuple[int, int, int]] = {0: (0, 0, 65535)}
        self._small: list[tuple[int, bytes]] = []
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self.size = _OWN + 1

    def stream(self, number: int, data: bytes) -> None:
        self._places[number] = (1, self._file.tell(), 0)
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, data))

    def small(self, number: int, data: bytes) -> None:
        self._small.append((number, data))
        if len(self._small) == _IN_A_STREAM:
            self._pack()

    def finish(self) -> None:
        self._pack()
        number, at = self._next(), self._file.tell()
        self._places[number] = (1, at, 0)
        table = b"".join(
            kind.to_bytes(1) + place.to_bytes(5) + index.to_bytes(2)
            for kind, place, index in (self._places.get(each, (0, 0, 0)) for each in range(self.size))
        )
        name = hashlib.sha256(table).hexdigest()[:32].encode()
        self.stream(
            number,
            _stream(
                b"/Type/XRef/W[1 5 2]/Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]"
                % (self.size, _CATALOG, _INFO, name, name),
                table,
            ),
        )
        self._write(b"startxref\n%d\n%%%%EOF\n" % at)

    def _pack(self) -> None:
        """Write the kept objects as one compressed stream."""
        if not self._small:
            return
        number, at, heads = self._next(), 0, []
        for index, (each, data) in enumerate(self._small):
            self._places[each] = (2, number, index)
            heads.append(b"%d %d" % (each, at))
            at += len(data) + 1
        head = b" ".join(heads) + b"\n"
        body = b"\n".join(data for _, data in self._small)
        facts = b"/Type/ObjStm/N %d/First %d" % (len(self._small), len(head))
        self._small = []
        self.stream(number, _stream(facts, head + body))

    def _next(self) -> int:
        self.size += 1
        return self.size - 1

    def _write(self, data: bytes) -> None:
        self._file.write(data)


def _stream(facts: bytes, content: bytes) -> bytes:
    packed = zlib.compress(content)
    return b"<<%b/Filter/FlateDecode/Length %d>>\nstream\n%b\nendstream" % (facts, len(packed), packed)


def _add(joined: _Joined, content: bytes, pages_before: int) -> _Piece:
    """Copy the objects of a piece under new numbers and hang its trees into those of the joined file."""
    objects, root = _objects(content)
    shift = joined.size - 1
    joined.size += max(objects)
    catalog = objects[root]
    pages, tree = _referred(catalog, b"Pages"), _referred(catalog, b"StructTreeRoot")
    parents = _referred(objects[tree], b"ParentTree")
    structure = int(_found(rb"/K \[(\d+) 0 R", objects[tree]))
    count = int(_found(rb"/Count (\d+)", objects[pages]))
    for number, data in objects.items():
        if number in (root, tree):
            continue
        head, mark, stream = data.partition(b"\nstream\n")
        head = _REFERENCE.sub(lambda found: b"%d 0 R" % (int(found[1]) + shift), head)
        head = _PAGE_NUMBER.sub(lambda found: b"/StructParents %d" % (int(found[1]) + pages_before), head)
        if b"/Headers" in head or b"/S /TH" in head:
            head = _HEADER.sub(lambda found: b"(%d%b)" % (int(found[1]) + shift, found[2]), head)
        if number == pages:
            head = head.replace(b"<<", b"<</Parent %d 0 R" % _PAGES, 1)
        elif number == structure:
            head = re.sub(
                rb"/P \d+ 0 R", b"/P %d 0 R" % _DOCUMENT, head.replace(b"/S /Document", b"/S /Part")
            )
        elif number == parents:
            limits = b"<</Limits [%d %d]" % (pages_before, pages_before + count - 1)
            head = _MAPPED.sub(lambda found: b"%d [" % (int(found[1]) + pages_before), head)
            head = head.replace(b"<<", limits, 1)
        if mark:
            joined.stream(number + shift, head + mark + stream)
        else:
            joined.small(number + shift, head)
    return _Piece(pages + shift, count, structure + shift, parents + shift)


def _objects(content: bytes) -> tuple[dict[int, bytes], int]:
    """The objects of a piece by number, and which one is the root."""
    table = int(_found(rb"startxref\n(\d+)\n%%EOF\s*\Z", content[-64:]))
    places = sorted(int(place) for place in re.findall(rb"(\d{10}) 00000 n", content[table:]))
    if not places:
        raise NotAPiece("It has no objects.")
    objects = {}
    for start, end in zip(places, [*places[1:], table], strict=True):
        found = _OBJECT.fullmatch(content, start, end)
        if not found:
            raise NotAPiece("An object has another form.")
        objects[int(found[1])] = found[2]
    return objects, int(_found(rb"/Root (\d+) 0 R", content[table:]))


def _referred(data: bytes, key: bytes) -> int:
    return int(_found(rb"/%b (\d+) 0 R" % key, data))


def _found(pattern: bytes, data: bytes) -> bytes:
    found = re.search(pattern, data)
    if not found:
        raise NotAPiece(f"{pattern!r} is missing.")
    return found[1]


def _roots(joined: _Joined, pieces: Sequence[_Piece], facts: Facts) -> None:
    pages = _list([piece.pages for piece in pieces])
    structures = _list([piece.structure for piece in pieces])
    parents = _list([piece.parents for piece in pieces])
    total = sum(piece.number_of_pages for piece in pieces)
    joined.small(
        _CATALOG,
        b"<</Type/Catalog/Pages %d 0 R/StructTreeRoot %d 0 R/MarkInfo<</Marked true>>"
        b"/ViewerPreferences<</DisplayDocTitle true>>/Lang %b>>"
        % (_PAGES, _STRUCTURE, _text(facts.language)),
    )
    joined.small(_PAGES, b"<</Type/Pages/Kids %b/Count %d>>" % (pages, total))
    joined.small(
        _INFO,
        b"<</Title %b/Author %b/CreationDate %b>>"
        % (_text(facts.title), _text(facts.author), _text(facts.created)),
    )
    joined.small(
        _STRUCTURE,
        b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree %d 0 R/ParentTreeNextKey %d>>"
        % (_DOCUMENT, _PARENTS, total),
    )
    joined.small(_DOCUMENT, b"<</Type/StructElem/S/Document/P %d 0 R/K %b>>" % (_STRUCTURE, structures))
    joined.small(_PARENTS, b"<</Kids %b>>" % parents)


def _list(numbers: Sequence[int]) -> bytes:
    return b"[%b]" % b" ".join(b"%d 0 R" % number for number in numbers)


def _text(text: str) -> bytes:
    if text.isascii() and text.isprintable():
        return b"(%b)" % re.sub(rb"([\\()])", rb"\\\1", text.encode())
    return b"<FEFF%b>" % text.encode("utf-16-be").hex().upper().encode()
