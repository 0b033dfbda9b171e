"""The workbook around the rows: styles, headers, frozen panes, filters and the summary sheet."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from merchant.money import exponent
from transactions.exports.report import Column, Report, without_controls

_HEADER = PatternFill("solid", fgColor="E9EEF5")
_BOLD = Font(bold=True)
_INSTANT = "yyyy-mm-dd hh:mm:ss"
_TEXT = "@"
_TITLE = "Transactions"
_DIGITS = 15


@dataclass(frozen=True)
class Styles:
    """Numbers of the cell styles in the archive; `money` is by the decimals of a currency."""

    text: int
    instant: int
    money: dict[int, int]


@dataclass(frozen=True)
class Book:
    """A saved workbook whose data sheets, the first ones, hold their header only."""

    archive: bytes
    styles: Styles


def is_too_long(amount: Decimal, decimals: int) -> bool:
    """Whether a spreadsheet, which keeps 15 digits, would change it; a text stays exact, if not summable."""
    return amount.adjusted() + decimals >= _DIGITS


def make(report: Report, sizes: Sequence[int]) -> Book:
    """The workbook for data sheets of these numbers of rows."""
    book = Workbook()
    book.remove(book.active)
    for number, size in enumerate(sizes, 1):
        _data_sheet(book.create_sheet(_TITLE if number == 1 else f"{_TITLE} {number}"), report.columns, size)
    styles = _styles(book.worksheets[0])
    _summary(book.create_sheet("Summary"), report)
    book.properties.creator = without_controls(report.heading.author)
    book.properties.title = without_controls(f"{_TITLE} of {report.heading.merchant}")
    file = io.BytesIO()
    book.save(file)
    return Book(file.getvalue(), styles)


def _data_sheet(sheet: Worksheet, columns: Sequence[Column], size: int) -> None:
    for number, column in enumerate(columns, 1):
        cell = _text(sheet, 1, number, column.title)
        cell.font, cell.fill = _BOLD, _HEADER
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{size + 1}"


def _styles(sheet: Worksheet) -> Styles:
    """Give the workbook the styles of the rows, which openpyxl will not see, and learn their numbers."""
    numbers = {}
    for column, name in enumerate((_TEXT, _INSTANT, *map(_money_format, range(5))), 1):
        cell = sheet.cell(2, column)
        cell.number_format = name
        numbers[name] = cell.style_id
    sheet.delete_rows(2)
    return Styles(numbers[_TEXT], numbers[_INSTANT], {n: numbers[_money_format(n)] for n in range(5)})


def _summary(sheet: Worksheet, report: Report) -> None:
    heading = report.heading
    facts = {
        "Merchant": heading.merchant,
        "Filter": heading.filter_in_words,
        "Time zone": heading.time_zone,
        "As of": report.as_of_in_words,
        "Author": heading.author,
    }
    for line, (name, value) in enumerate(facts.items(), 1):
        _text(sheet, line, 1, name).font = _BOLD
        _text(sheet, line, 2, value)
    _text(sheet, len(facts) + 1, 1, "Rows").font = _BOLD
    sheet.cell(len(facts) + 1, 2, report.rows).alignment = Alignment(horizontal="left")
    _sums(sheet, len(facts) + 3, report)
    for letter, width in zip("ABCD", (18, 22, 12, 20), strict=True):
        sheet.column_dimensions[letter].width = width


def _sums(sheet: Worksheet, first: int, report: Report) -> None:
    for number, title in enumerate(("Charge currency", "Status", "Rows", "Charge amount"), 1):
        cell = _text(sheet, first, number, title)
        cell.font, cell.fill = _BOLD, _HEADER
    for line, each in enumerate(report.sums, first + 1):
        _text(sheet, line, 1, each.currency)
        _text(sheet, line, 2, each.status)
        sheet.cell(line, 3, each.count)
        _money(sheet.cell(line, 4), each.amount, each.currency)


def _text(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """A cell that is a text even if it starts with an equals sign."""
    cell = sheet.cell(row, column, without_controls(text))
    cell.data_type = "s"
    return cell


def _money(cell: Cell, amount: Decimal, currency: str) -> None:
    decimals = exponent(currency)
    cell.value = f"{amount:f}" if is_too_long(amount, decimals) else amount
    cell.number_format = _money_format(decimals)


def _money_format(decimals: int) -> str:
    return "#,##0" + ("." + "0" * decimals if decimals else "")
