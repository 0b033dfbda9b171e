"""Cells of a workbook that openpyxl writes: texts that stay texts, amounts that stay exact."""

from decimal import Decimal

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from merchant.money import exponent
from transactions.exports.report import without_controls

HEADER = PatternFill("solid", fgColor="E9EEF5")
# The font of all other cells; one without a name becomes another one in LibreOffice.
BOLD = Font(name="Calibri", size=11, family=2, scheme="minor", bold=True)
DIGITS = 15


def put_text(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    """A cell that is a text even if it starts with an equals sign."""
    cell = sheet.cell(row, column, without_controls(text))
    cell.data_type = "s"
    return cell


def put_money(sheet: Worksheet, row: int, column: int, amount: Decimal, currency: str) -> Cell:
    """A cell with an amount; a text, which stays exact, if it has more digits than a spreadsheet keeps."""
    if is_too_long(amount, currency):
        cell = put_text(sheet, row, column, f"{amount:f}")
        cell.alignment = Alignment(horizontal="right")
        return cell
    cell = sheet.cell(row, column, amount)
    cell.number_format = money_format(exponent(currency))
    return cell


def is_too_long(amount: Decimal, currency: str) -> bool:
    """Whether a spreadsheet, which keeps 15 digits, would change it."""
    return amount.adjusted() + exponent(currency) >= DIGITS


def money_format(decimals: int) -> str:
    """The number format of amounts with so many decimals."""
    return "#,##0" + ("." + "0" * decimals if decimals else "")
