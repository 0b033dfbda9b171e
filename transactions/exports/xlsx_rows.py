"""Rows of a sheet as XML, made by the database: typed numbers and dates, texts as texts, never a formula.

A row comes out as one line: whatever COPY would write with a backslash is a reference here.
"""

from collections.abc import Iterable, Sequence

from babel.numbers import list_currencies

from merchant.money import exponent
from transactions.exports.report import Column, Kind, without_controls
from transactions.exports.xlsx_book import Styles
from transactions.exports.xlsx_cells import DIGITS

_USUAL = 2
# Texts without any of these go into the XML as they are. _x0041_ is an "A" to Excel.
_SPECIAL = r"[&<>\\\u0001-\u001f\ufffe\uffff]|_x"
_FORBIDDEN = "".join(sign for sign in map(chr, [*range(1, 32), 0xFFFE, 0xFFFF]) if not without_controls(sign))
_REFERENCES = {"&": "amp", "<": "lt", ">": "gt", "\\": "#92", "\t": "#9", "\n": "#10", "\r": "#13"}
_CODED = "_(?=x[0-9A-Fa-f]{4}_)"


def xml_row(columns: Sequence[Column], styles: Styles) -> str:
    """SQL for the `<row>` of a row.

    One look at all texts of a row at once says whether any of them needs care: nearly none does, and a look
    at each of them takes twice as long.
    """
    texts = [column.key for column in columns if column.kind is Kind.TEXT and not column.ours]
    joined = f"""concat('|', {", '|', ".join(f'"{key}"' for key in texts)}, '|')""" if texts else "''"
    return (
        f"""CASE WHEN {joined} COLLATE "C" ~ '{_SPECIAL}|[|] | [|]' """
        f"THEN {_row(_cell(column, styles, _careful(column.key)) for column in columns)} "
        f"ELSE {_row(_cell(column, styles, _plain(column.key)) for column in columns)} END"
    )


def _row(cells: Iterable[str]) -> str:
    return f"concat('<row>', {', '.join(cells)}, '</row>')"


def _cell(column: Column, styles: Styles, text: str) -> str:
    match column.kind:
        case Kind.TEXT:
            return _text(column.key, _plain(column.key) if column.ours else text, styles.text)
        case Kind.INSTANT:
            return _instant(column.key, styles.instant)
        case Kind.MONEY:
            return _money(column, styles)


def _text(key: str, text: str, style: int) -> str:
    cell = f"""'<c s="{style}" t="inlineStr"><is><t' || {text} || '</t></is></c>'"""
    return f"""CASE WHEN "{key}" <> '' THEN {cell} ELSE '<c s="{style}"/>' END"""


def _plain(key: str) -> str:
    return f"""'>' || "{key}\""""


def _careful(key: str) -> str:
    """The text as XML that spreadsheets read back as this text, without what XML forbids."""
    found = f"""regexp_replace(translate("{key}", '{_FORBIDDEN}', ''), '{_CODED}', '_x005F_', 'g')"""
    for sign, name in _REFERENCES.items():
        found = f"replace({found}, '{sign}', '&{name};')"
    return (
        f"""CASE WHEN "{key}" COLLATE "C" ~ '{_SPECIAL}|^ | $' """
        f"""THEN ' xml:space="preserve">' || {found} ELSE {_plain(key)} END"""
    )


def _instant(key: str, style: int) -> str:
    """Days since the day 0 of spreadsheets, 1899-12-30: they count 1900 as a leap year."""
    days = f"""extract(epoch FROM "{key}" - timestamp '1899-12-30')::float8 / 86400"""
    return f"""'<c s="{style}"><v>' || ({days}) || '</v></c>'"""


def _money(column: Column, styles: Styles) -> str:
    groups: dict[int, list[str]] = {}
    for code in sorted(list_currencies()):
        groups.setdefault(exponent(code), []).append(f"'{code}'")
    del groups[_USUAL]
    unusual = " ".join(
        f'WHEN "{column.currency}" IN ({", ".join(codes)}) THEN {_amount(column.key, decimals, styles)}'
        for decimals, codes in groups.items()
    )
    return f"CASE {unusual} ELSE {_amount(column.key, _USUAL, styles)} END"


def _amount(key: str, decimals: int, styles: Styles) -> str:
    """A number; as a text, which stays exact, if it has more digits than a spreadsheet keeps."""
    amount = f'round("{key}", {decimals})'
    return (
        f"""CASE WHEN abs({amount}) < 1e{DIGITS - decimals} """
        f"""THEN '<c s="{styles.money[decimals]}"><v>' || {amount} || '</v></c>' """
        f"""ELSE '<c s="{styles.long}" t="inlineStr"><is><t>' || {amount} || '</t></is></c>' END"""
    )
