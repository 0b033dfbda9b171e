"""Rows of a sheet as XML: numbers and dates typed, texts as texts, nothing ever a formula."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from typing import Any

from merchant.money import exponent, rounded
from transactions.exports.report import Column, Kind, without_controls
from transactions.exports.xlsx_book import Styles, is_too_long

# Day 0 of spreadsheets, which count 1900 as a leap year.
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a clock's time, as cells have it
_DAY = 86_400
_SPECIAL = re.compile(r"[^ -%'-;=?-~]|_x")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
# Excel reads _x0041_ as "A" in any text, unless its underscore is written so itself.
_CODED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def xml_rows(columns: Sequence[Column], rows: Sequence[Sequence[Any]], styles: Styles) -> Iterator[str]:
    """Each row, with its values in the order of the columns, as a `<row>`.

    Goes column by column and makes each value of a column only once: most columns repeat themselves.
    """
    values = {column.key: cells for column, cells in zip(columns, zip(*rows, strict=True), strict=True)}
    cells = [_cells(column, values, styles) for column in columns]
    return map("".join, zip(repeat("<row>"), *cells, repeat("</row>")))


def escaped(text: str) -> str:
    """The text as XML that spreadsheets read back as this text, without what XML forbids."""
    if not _SPECIAL.search(text):
        return text
    return _CODED.sub("_x005F_", without_controls(text)).translate(_ESCAPES)


def _cells(column: Column, values: dict[str, tuple[Any, ...]], styles: Styles) -> Iterator[str]:
    own = values[column.key]
    match column.kind:
        case Kind.TEXT:
            return _once(own, lambda text: _text(text, styles))
        case Kind.INSTANT:
            return _once(own, lambda instant: _instant(instant, styles))
        case Kind.MONEY:
            pairs = list(zip(own, values[column.currency], strict=True))
            return _once(pairs, lambda pair: _money(pair[0], pair[1], styles))


def _once(values: Sequence[Any], make: Callable[[Any], str]) -> Iterator[str]:
    made = {value: make(value) for value in set(values)}
    return map(made.__getitem__, values)


def _text(value: str, styles: Styles) -> str:
    text = escaped(value)
    if not text:
        return f'<c s="{styles.text}"/>'
    keep = "" if text == text.strip() else ' xml:space="preserve"'
    return f'<c s="{styles.text}" t="inlineStr"><is><t{keep}>{text}</t></is></c>'


def _instant(value: datetime, styles: Styles) -> str:
    since = value - _EPOCH
    return f'<c s="{styles.instant}"><v>{since.days + since.seconds / _DAY!r}</v></c>'


def _money(value: Decimal, currency: str, styles: Styles) -> str:
    amount, decimals = rounded(value, currency), exponent(currency)
    if is_too_long(amount, decimals):
        return _text(f"{amount:f}", styles)
    return f'<c s="{styles.money[decimals]}"><v>{amount:f}</v></c>'
