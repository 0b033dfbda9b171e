"""Rows of a sheet as XML: numbers and dates typed, texts as texts, nothing ever a formula."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from merchant.money import exponent, rounded
from transactions.exports.report import Column, Kind, without_controls
from transactions.exports.xlsx_book import Styles

# Day 0 of spreadsheets, which count 1900 as a leap year.
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a clock's time, as cells have it
_DAY = 86_400
# Spreadsheets keep 15 digits. A longer amount is written as text: exact, if not summable.
_DIGITS = 15
_SPECIAL = re.compile(r"[^ -%'-;=?-~]|_x")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
# Excel reads _x0041_ as "A" in any text, unless its underscore is written so itself.
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

_Cell = Callable[[Any, Sequence[Any]], str]


def row_writer(columns: Sequence[Column], styles: Styles) -> Callable[[Sequence[Any]], str]:
    """A function that makes a row of values, in the order of the columns, a `<row>`."""
    places = {column.key: place for place, column in enumerate(columns)}
    makers: dict[Kind, Callable[[Column], _Cell]] = {
        Kind.TEXT: lambda _: _text_cell(styles),
        Kind.INSTANT: lambda _: _instant_cell(styles),
        Kind.MONEY: lambda column: _money_cell(styles, places[column.currency]),
    }
    cells = [makers[column.kind](column) for column in columns]

    def line(row: Sequence[Any]) -> str:
        return f"<row>{''.join([cell(value, row) for cell, value in zip(cells, row, strict=True)])}</row>"

    return line


def escaped(text: str) -> str:
    """The text as XML that spreadsheets read back as this text, without what XML forbids."""
    if not _SPECIAL.search(text):
        return text
    return _CODED.sub("_x005F_", without_controls(text)).translate(_ESCAPES)


def _text_cell(styles: Styles) -> _Cell:
    empty = f'<c s="{styles.text}"/>'
    start = f'<c s="{styles.text}" t="inlineStr"><is><t'

    def cell(value: str, _: Sequence[Any]) -> str:
        text = escaped(value)
        if not text:
            return empty
        keep = "" if text == text.strip() else ' xml:space="preserve"'
        return f"{start}{keep}>{text}</t></is></c>"

    return cell


def _instant_cell(styles: Styles) -> _Cell:
    start = f'<c s="{styles.instant}"><v>'

    def cell(value: datetime, _: Sequence[Any]) -> str:
        since = value - _EPOCH
        return f"{start}{since.days + since.seconds / _DAY!r}</v></c>"

    return cell


def _money_cell(styles: Styles, currency_at: int) -> _Cell:
    text = _text_cell(styles)
    starts = {decimals: f'<c s="{style}"><v>' for decimals, style in styles.money.items()}

    def cell(value: Decimal, row: Sequence[Any]) -> str:
        currency = row[currency_at]
        amount = rounded(value, currency)
        if len(amount.as_tuple().digits) > _DIGITS:
            return text(f"{amount:f}", row)
        return f"{starts[exponent(currency)]}{amount:f}</v></c>"

    return cell
