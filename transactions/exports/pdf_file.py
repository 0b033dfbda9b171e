"""PDF: a summary, then a table of the short columns, drawn in pieces by several processes and joined."""

import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from merchant.money import display
from transactions.exports.pdf_chart import charts
from transactions.exports.pdf_join import Facts, join
from transactions.exports.pdf_renderers import FOLDER, Piece, Renderers, RenderingFailed, renderers
from transactions.exports.report import Column, Kind, Report, TooManyRows, without_controls

# All rows are equally high (export.css), so that the number of a page is known before it is drawn.
ROWS_PER_PAGE = 33
PAGES_PER_PIECE = 10
_ROWS_PER_PIECE = ROWS_PER_PAGE * PAGES_PER_PIECE
# More than the widest column shows.
_LONGEST = 90
# Amounts are never cut: longer ones than this many characters are set smaller.
_WIDE = 16
# Millimetres: the padding of a cell, and the widest of these letters and of all in ASCII.
_PADDING, _LETTER, _ANY = 3, 1.69, 2.65
_USUAL = str.maketrans("", "", "abcdefghijklnopqrstuvxyz0123456789 -.,:/_'()")


def write(report: Report, path: Path) -> None:
    """Write the report as A4 pages. Raises TooManyRows above EXPORT_PDF_CEILING rows."""
    if report.rows > settings.EXPORT_PDF_CEILING:
        raise TooManyRows(
            f"A PDF holds up to {settings.EXPORT_PDF_CEILING:,} rows and these are {report.rows:,}:"
            " choose CSV or XLSX, one PDF per month, or a narrower filter.",
            report.rows,
        )
    missing = _draw(report, path, "")
    if missing:
        # Known only now, and it may move the pages on.
        _draw(report, path, missing)


def _draw(report: Report, path: Path, missing: str) -> str:
    """Draw all pages; which scripts no font of this computer has, in words, "" if all is there."""
    pages = -(-report.rows // ROWS_PER_PAGE)
    with (
        tempfile.TemporaryDirectory(prefix=FOLDER) as folder,
        renderers(stylesheet(), -(-pages // PAGES_PER_PIECE)) as drawn,
    ):
        summary = Path(folder, "summary.pdf")
        before = _draw_summary(drawn, report, summary, pages, missing)
        table = _draw_table(drawn, report, _pieces(report, Path(folder), before, before + pages))
        _join(report, chain([summary], table), path)
        return scripts(drawn.missing)


def scripts(characters: Iterable[str]) -> str:
    """The scripts of characters, by the first words of their Unicode names."""
    names = {unicodedata.name(each, "unknown").split()[0] for each in characters}
    return ", ".join(sorted(name if name == "CJK" else name.capitalize() for name in names))


def _draw_summary(drawn: Renderers, report: Report, path: Path, pages_after: int, missing: str) -> int:
    """Draw the title and the sums; how many pages they take: again if that was not what they say."""
    context = {
        "as_of": report.as_of_in_words,
        "rows": report.rows,
        "control": report.control,
        "missing": missing,
        "charts": charts(report),
        "sums": [(each, display(each.amount, each.currency)) for each in report.sums],
    }
    pages, expected = 0, 1
    while pages != expected:
        pages, expected = (
            expected,
            drawn.render(Piece(_html(report, "summary", 0, expected + pages_after, **context), path)),
        )
    return pages


def _pieces(report: Report, folder: Path, before: int, pages: int) -> Iterator[Piece]:
    """The table, `_ROWS_PER_PIECE` rows at a time."""
    columns = [column for column in report.columns if column.short]
    keys = [key for column in columns for key in (column.key, column.currency) if key]
    for number, rows in enumerate(report.read(keys, _ROWS_PER_PIECE)):
        cells = [_cells(columns, dict(zip(keys, row, strict=True))) for row in rows]
        first = before + number * PAGES_PER_PIECE
        html = _html(report, "table", first, pages, columns=columns, rows=cells)
        yield Piece(html, folder / f"{number}.pdf", -(-len(rows) // ROWS_PER_PAGE))


def _cells(columns: Sequence[Column], row: dict[str, Any]) -> list[tuple[str, str]]:
    """CSS class and text of each cell, as people read them."""
    cells = []
    for column in columns:
        value = row[column.key]
        match column.kind:
            case Kind.MONEY:
                text = display(value, row[column.currency])
                cells.append(("money long" if len(text) > _WIDE else "money", text))
            case Kind.INSTANT:
                cells.append(("", f"{value:%Y-%m-%d %H:%M:%S}"))
            case Kind.TEXT:
                text = " ".join(without_controls(value[:_LONGEST]).split())
                cells.append(("" if _fits(text, column.share - _PADDING) else "cut", text))
    return cells


def _fits(text: str, width: int) -> bool:
    """Whether a text of ASCII surely fits into so many millimetres."""
    return len(text) * _LETTER + len(text.translate(_USUAL)) * (_ANY - _LETTER) <= width


def _draw_table(drawn: Renderers, report: Report, pieces: Iterable[Piece]) -> Iterator[Path]:
    """The drawn pieces in their order, each as soon as it is there."""
    for number, piece in enumerate(drawn.render_all(pieces), 1):
        report.progress(min(number * _ROWS_PER_PIECE, report.rows), report.rows)
        yield piece.path


def _html(report: Report, name: str, before: int, pages: int, **context: Any) -> str:
    """A part of the report that follows so many pages of this total."""
    context |= {"heading": report.heading, "first": before + 1, "pages": pages}
    return render_to_string(f"transactions/exports/{name}.html", context)


def stylesheet(name: str = "export") -> str:
    """A stylesheet of ours by its name. Raises RenderingFailed where it is missing."""
    found = finders.find(f"css/{name}.css")
    if not found:
        raise RenderingFailed(f"The stylesheet css/{name}.css is missing.")
    return Path(found).read_text("utf-8")


def _join(report: Report, parts: Iterable[Path], path: Path) -> None:
    title = without_controls(f"Transactions of {report.heading.merchant}")
    author = without_controls(report.heading.author)
    join(parts, path, Facts(title, author, f"D:{report.as_of:%Y%m%d%H%M%S}Z"))
