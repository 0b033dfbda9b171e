"""The summary sheet: what the file is, and the sums, stated and added up once more by formulas."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from openpyxl.styles import Alignment
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from merchant.money import exponent, rounded
from transactions.exports.report import Report, Sum
from transactions.exports.xlsx_cells import BOLD, HEADER, is_too_long, money_format, put_money, put_text

_ALL = "All statuses"
_TITLES = {
    "Charge currency": 18, "Status": 22, "Rows": 12, "Charge amount": 20, "Rows by formula": 18,
    "Amount by formula": 20, "Check": 12,
}  # fmt: skip
_NUMBERS = ("Rows", "Charge amount", "Rows by formula", "Amount by formula")
# What stands in criteria: other texts may be wildcards or comparisons to a spreadsheet.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 -]*|")
_EMPTY = '"="'
_KEYS = ("charge", "charge_currency", "status")
# The last column, whose words would touch the numbers beside them.
_BESIDE = Alignment(horizontal="left", indent=1)
_AGREES, _DIFFERS = "agrees", "DIFFERS"

Data = Sequence[tuple[str, int]]  # title and rows of each data sheet


def fill(sheet: Worksheet, report: Report, data: Data) -> dict[str, str]:
    """Write the summary; the values of its formulas by cell, which openpyxl cannot write beside them."""
    # On paper as wide as a page, so that the check stands beside what it checks.
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = False
    line = _facts(sheet, report) + 2
    for number, (title, width) in enumerate(_TITLES.items(), 1):
        cell = put_text(sheet, line, number, title)
        cell.font, cell.fill = BOLD, HEADER
        cell.alignment = Alignment(horizontal="right" if title in _NUMBERS else "left")
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.cell(line, len(_TITLES)).alignment = _BESIDE
    values: dict[str, str] = {}
    letters = _letters(report)
    for each in _with_totals(report.sums):
        line += 1
        _stated(sheet, line, each)
        if letters and _can_be_found(each, report.sums):
            values |= _formulas(sheet, line, each, letters, data)
    return values


def _facts(sheet: Worksheet, report: Report) -> int:
    heading = report.heading
    facts = {
        "Merchant": heading.merchant,
        "Filter": heading.filter_in_words,
        "Time zone": heading.time_zone,
        "As of": report.as_of_in_words,
        "Author": heading.author,
    }
    if report.control:
        facts["Control code"] = report.control
    for line, (name, value) in enumerate(facts.items(), 1):
        put_text(sheet, line, 1, name).font = BOLD
        put_text(sheet, line, 2, value)
    put_text(sheet, len(facts) + 1, 1, "Rows").font = BOLD
    sheet.cell(len(facts) + 1, 2, report.rows).alignment = Alignment(horizontal="left")
    return len(facts) + 1


def _with_totals(sums: Sequence[Sum]) -> Iterator[Sum]:
    """The sums, as the currency has them, with one over all statuses behind those of each currency."""
    for currency in dict.fromkeys(each.currency for each in sums):
        own = [each for each in sums if each.currency == currency]
        count, amount = sum(each.count for each in own), sum((each.amount for each in own), Decimal(0))
        for each in (*own, Sum(currency, "", count, amount)):
            yield replace(each, amount=rounded(each.amount, currency))


def _stated(sheet: Worksheet, line: int, each: Sum) -> None:
    put_text(sheet, line, 1, each.currency)
    put_text(sheet, line, 2, each.status or _ALL)
    sheet.cell(line, 3, each.count)
    put_money(sheet, line, 4, each.amount, each.currency)
    if not each.status:
        for cell in sheet[line]:
            cell.font = BOLD


def _letters(report: Report) -> dict[str, str]:
    """The letters of the columns that are added up, none if they are not all in the file."""
    numbers = {column.key: number for number, column in enumerate(report.columns, 1)}
    return {key: get_column_letter(numbers[key]) for key in _KEYS if numbers.keys() >= set(_KEYS)}


def _can_be_found(each: Sum, sums: Sequence[Sum]) -> bool:
    """Whether criteria, which know no case and see wildcards, find exactly the rows of a sum."""
    same = Counter((other.currency.casefold(), other.status.casefold()) for other in sums)
    currencies = Counter(currency.casefold() for currency in {other.currency for other in sums})
    return (
        bool(_PLAIN.fullmatch(each.currency) and _PLAIN.fullmatch(each.status))
        and currencies[each.currency.casefold()] == 1
        and same[each.currency.casefold(), each.status.casefold()] <= 1
        and not is_too_long(each.amount, each.currency)
    )


def _formulas(sheet: Worksheet, line: int, each: Sum, letters: dict[str, str], data: Data) -> dict[str, str]:
    counts, amounts = [], []
    for title, size in data:
        area = {key: _area(title, letter, size) for key, letter in letters.items()}
        criteria = f"{area['charge_currency']},{f'$A{line}' if each.currency else _EMPTY}"
        if each.status:
            criteria += f",{area['status']},$B{line}"
        counts.append(f"COUNTIFS({criteria})")
        amounts.append(f"SUMIFS({area['charge']},{criteria})")
    decimals = exponent(each.currency)
    sheet.cell(line, 5, f"={'+'.join(counts)}")
    # Rounded, since thousands of cents do not add up exactly in binary.
    sheet.cell(line, 6, f"=ROUND({'+'.join(amounts)},{decimals})").number_format = money_format(decimals)
    check = sheet.cell(line, 7, f'=IF(AND(C{line}=E{line},D{line}=F{line}),"{_AGREES}","{_DIFFERS}")')
    check.alignment = _BESIDE
    return {f"E{line}": str(each.count), f"F{line}": f"{each.amount:f}", f"G{line}": _AGREES}


def _area(title: str, letter: str, size: int) -> str:
    return f"{quote_sheetname(title)}!${letter}$2:${letter}${max(size, 1) + 1}"
