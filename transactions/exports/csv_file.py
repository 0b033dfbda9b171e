"""CSV as RFC 4180 has it: UTF-8 with BOM, comma, CRLF, formatted and guarded by the database."""

import csv
import io
from pathlib import Path

from babel.numbers import list_currencies

from merchant.money import exponent
from transactions.exports.report import CHUNK, Column, Kind, Report

_USUAL = 2
# What makes a spreadsheet take a text for a formula: = + - @ tab CR LF and the full-width = + - @.
_TRIGGERS = ", ".join(str(ord(each)) for each in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_REPORT_EVERY = 20 * CHUNK


def write(report: Report, path: Path) -> None:
    """Write the report as CSV. Texts that start like a formula get a leading apostrophe; numbers never do."""
    select = report.source.select(_formatted(column) for column in report.columns)
    # Django's own cursor would keep every statement while DEBUG is on, and takes no parameters for COPY.
    cursor = report.connection.connection.cursor()
    with path.open("wb", buffering=1024 * 1024) as file, cursor:
        file.write(_header(report.columns))
        with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)", report.source.params) as rows:
            # The protocol promises one message a row, so the last byte is the end of the row, not a line
            # break inside of a text.
            for done, row in enumerate(rows, 1):
                file.write(row[:-1])
                file.write(b"\r\n")
                if done % _REPORT_EVERY == 0:
                    report.progress(done, report.rows)
    report.progress(report.rows, report.rows)


def _header(columns: tuple[Column, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(column.title for column in columns)
    return line.getvalue().encode("utf-8-sig")


def _formatted(column: Column) -> str:
    if column.kind is Kind.MONEY:
        return f'round("{column.key}", {_decimals(column.currency)})'
    return _guarded(column.key) if column.kind is Kind.TEXT else f'"{column.key}"'


def _guarded(key: str) -> str:
    """A plain signed number, such as a telephone number used as an id, is no formula and stays as it is."""
    return (
        f"""CASE WHEN ascii(ltrim("{key}")) IN ({_TRIGGERS}) AND "{key}" !~ '^[+-][0-9]+([.,][0-9]+)?$'"""
        f""" THEN '''' || "{key}" ELSE "{key}" END"""
    )


def _decimals(key: str) -> str:
    """SQL for the decimals of the currency in a column, as `merchant.money.exponent` has them."""
    groups: dict[int, list[str]] = {}
    for currency in sorted(list_currencies()):
        groups.setdefault(exponent(currency), []).append(f"'{currency}'")
    del groups[_USUAL]
    cases = " ".join(f'WHEN "{key}" IN ({", ".join(codes)}) THEN {n}' for n, codes in sorted(groups.items()))
    return f"CASE {cases} ELSE {_USUAL} END"
