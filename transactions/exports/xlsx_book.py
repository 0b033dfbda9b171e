"""The workbook around the rows: styles, headers, frozen panes and filters, with its summary."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from transactions.exports import xlsx_summary
from transactions.exports.report import Column, Report, without_controls
from transactions.exports.xlsx_cells import BOLD, HEADER, money_format, put_text

_INSTANT = "yyyy-mm-dd hh:mm:ss"
_TEXT = "@"
_TITLE = "Transactions"
_DECIMALS = range(5)
# Of the filter, in characters, and of titles with the zone of their times, in points: left to itself
# LibreOffice shows the first line alone.
_BUTTON, _TWO_LINES = 3, 32
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_FORMULA = re.compile(rb'<c r="([A-Z]+[0-9]+)"([^>]*)><f>([^<]*)</f><v(?: ?/|></v)></c>')


@dataclass(frozen=True)
class Styles:
    """Numbers of the cell styles in the archive; `money` is by the decimals of a currency, `long` for amounts
    that are texts.
    """

    text: int
    instant: int
    long: int
    money: dict[int, int]


@dataclass(frozen=True)
class Book:
    """A saved workbook whose data sheets, the first ones, hold their header only.

    `created` is the instant of the rows, `values` are those of the formulas of its summary, by cell.
    """

    archive: bytes
    styles: Styles
    created: datetime
    values: dict[str, str]


def make(report: Report, sizes: Sequence[int]) -> Book:
    """The workbook for data sheets of these numbers of rows."""
    book = Workbook()
    book.remove(book.active)
    for number, size in enumerate(sizes, 1):
        _data_sheet(book.create_sheet(_TITLE if number == 1 else f"{_TITLE} {number}"), report.columns, size)
    styles = _styles(book.worksheets[0])
    data = [(sheet.title, size) for sheet, size in zip(book.worksheets, sizes, strict=True)]
    values = xlsx_summary.fill(book.create_sheet("Summary"), report, data)
    book.properties.creator = without_controls(report.heading.author)
    book.properties.title = without_controls(f"{_TITLE} of {report.heading.merchant}")
    book.properties.created = report.as_of.replace(tzinfo=None)
    file = io.BytesIO()
    book.save(file)
    return Book(file.getvalue(), styles, report.as_of, values)


def finished(book: Book, name: str, content: bytes, summable: bool) -> bytes:
    """A part of the book's archive other than its data sheets, with what openpyxl does not write.

    Where some amounts are texts, which formulas cannot add up, there are no formulas.
    """
    if name == "docProps/core.xml":
        # Not the hour of writing: the same rows of the same moment make the same file.
        return _MODIFIED.sub(rb"\g<1>%b" % f"{book.created:%Y-%m-%dT%H:%M:%SZ}".encode(), content)
    return _FORMULA.sub(lambda cell: _with_value(cell, book.values) if summable else b"", content)


def _with_value(cell: re.Match[bytes], values: dict[str, str]) -> bytes:
    """The cell of a formula with its value: viewers that do not calculate show it."""
    place, attributes, formula = cell.groups()
    value = values[place.decode()]
    kind = b"" if value[-1:].isdigit() else b' t="str"'
    return b'<c r="%b"%b%b><f>%b</f><v>%b</v></c>' % (place, attributes, kind, formula, value.encode())


def _data_sheet(sheet: Worksheet, columns: Sequence[Column], size: int) -> None:
    for number, column in enumerate(columns, 1):
        cell = put_text(sheet, 1, number, column.title)
        cell.font, cell.fill = BOLD, HEADER
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        longest = max(map(len, column.title.split()))
        sheet.column_dimensions[get_column_letter(number)].width = max(column.width, longest + _BUTTON)
    sheet.row_dimensions[1].height = _TWO_LINES
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{size + 1}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"


def _styles(sheet: Worksheet) -> Styles:
    """Give the workbook the styles of the rows, which openpyxl will not see, and learn their numbers."""
    text, instant, long, *money = (sheet.cell(2, column) for column in range(1, 4 + len(_DECIMALS)))
    text.number_format, instant.number_format, long.number_format = _TEXT, _INSTANT, _TEXT
    long.alignment = Alignment(horizontal="right")
    # Else they touch the text beside them.
    instant.alignment = Alignment(horizontal="left")
    for decimals, cell in zip(_DECIMALS, money, strict=True):
        cell.number_format = money_format(decimals)
    amounts = {decimals: cell.style_id for decimals, cell in zip(_DECIMALS, money, strict=True)}
    styles = Styles(text.style_id, instant.style_id, long.style_id, amounts)
    sheet.delete_rows(2)
    return styles
