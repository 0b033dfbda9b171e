"""Reads the table of a report on paper back, by where its words stand."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from pypdf import PageObject, PdfReader

from transactions.exports.columns import titled

_MILLIMETRE = 72 / 25.4
_ROW = 5 * _MILLIMETRE  # as export.css has it
# From the line of the titles to that of the first row, less half a row.
_TO_ROWS = 4.3 * _MILLIMETRE
_PADDING = 1.5 * _MILLIMETRE
_FOOTER = 192 * _MILLIMETRE


def read(path: Path) -> tuple[str, list[dict[str, str]]]:
    """The letters of the pages before the table, and the cells of its rows by their short titles."""
    before, found = "", []
    for page in PdfReader(path).pages:
        pieces = _pieces(page)
        if titles := next((y for _, y, text in pieces if text == "Transaction ID"), None):
            found += _rows(pieces, titles)
        else:
            before += letters("".join(text for _, _, text in pieces))
    return before, found


def letters(text: str) -> str:
    """The text without spaces, in which a line on paper differs from the text that it shows."""
    return "".join(sign for sign in text if sign.isprintable() and not sign.isspace())


def is_shown(shown: str, text: str) -> bool:
    """Whether a cell shows a text, or as much of it as has room.

    Letters of a script that runs to the left come back in another order, and so do the marks above one.
    """
    wanted, got = letters(text), letters(shown)
    if text.isascii():
        return wanted.startswith(got[:-1]) if got.endswith("…") else got == wanted
    return (
        Counter(got.removesuffix("…")) <= Counter(wanted) if "…" in got else Counter(got) == Counter(wanted)
    )


def _pieces(page: PageObject) -> list[tuple[float, float, str]]:
    """Words with their places, in points from the left and from the top."""
    found = []

    def see(text: str, outer: list[float], inner: list[float], *_: Any) -> None:
        x, y = inner[4:]
        if text.strip():
            found.append(
                (x * outer[0] + outer[4], float(page.mediabox.height) - y * outer[3] - outer[5], text)
            )

    page.extract_text(visitor_text=see)
    return found


def _rows(pieces: list[tuple[float, float, str]], titles: float) -> list[dict[str, str]]:
    columns = [column for column in titled("UTC") if column.short]
    left = min(x for x, _, _ in pieces) - _PADDING
    rows: dict[int, dict[str, str]] = defaultdict(lambda: dict.fromkeys((each.short for each in columns), ""))
    for x, y, text in pieces:
        row, edge = int((y - titles - _TO_ROWS) // _ROW), left
        if row < 0 or y > _FOOTER:
            continue
        for column in columns:
            edge += column.share * _MILLIMETRE
            if x < edge:
                rows[row][column.short] += text
                break
    return [rows[number] for number in sorted(rows)]
