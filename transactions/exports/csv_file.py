"""CSV as RFC 4180 has it: UTF-8, CRLF, formatted and guarded by the database, in a dialect of the reader."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from transactions.exports.amounts import rounded
from transactions.exports.copying import taken
from transactions.exports.report import Column, Kind, Layout, Report

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
DECIMALS = {".": "point", ",": "comma"}
# What makes a spreadsheet take a text for a formula: = + - @ tab CR LF and the full-width = + - @.
_TRIGGERS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_BATCH = 500
_REPORT_EVERY = 40_000
_QUOTED_OR_END = re.compile(rb'"[^"]*"|\n')


def write(report: Report, path: Path) -> None:
    """Write the report as CSV. Texts that start like a formula get a leading apostrophe; numbers never do.

    Raises KeyError for a layout with another dialect than those of DELIMITERS and DECIMALS.
    """
    layout = report.layout
    select = report.source.select(_formatted(column, layout) for column in report.columns)
    options = f"FORMAT csv, DELIMITER {_quoted(layout.delimiter, DELIMITERS)}"
    # Django's own cursor would keep every statement while DEBUG is on, and takes no parameters for COPY.
    cursor = report.connection.connection.cursor()
    with path.open("wb") as file, cursor:
        file.write(_header(report.columns, layout))
        with cursor.copy(f"COPY ({select}) TO STDOUT ({options})", report.source.params) as rows:
            done, source = 0, iter(rows)
            while (chunk := taken(source, _BATCH))[1]:
                file.write(_lines(*chunk))
                done += chunk[1]
                if done % _REPORT_EVERY == 0:
                    report.progress(done, report.rows)
    report.progress(report.rows, report.rows)


def _lines(rows: bytes, number: int) -> bytes:
    """So many rows with the line ends of the RFC.

    As long as no text holds a line break, which is nearly always, all of them are ends of rows.
    """
    if rows.count(b"\n") == number:
        return rows.replace(b"\n", b"\r\n")
    return _QUOTED_OR_END.sub(lambda found: b"\r\n" if found[0] == b"\n" else found[0], rows)


def _header(columns: Iterable[Column], layout: Layout) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=layout.delimiter).writerow(column.title for column in columns)
    return line.getvalue().encode("utf-8-sig" if layout.bom else "utf-8")


def _formatted(column: Column, layout: Layout) -> str:
    if column.kind is Kind.MONEY:
        amount = rounded(column.key, column.currency)
        return amount if layout.decimal == "." else f"replace({amount}::text, '.', {_mark(layout)})"
    guarded = column.kind is Kind.TEXT and not column.ours
    return _guarded(column.key) if guarded else f'"{column.key}"'


def _mark(layout: Layout) -> str:
    return _quoted(layout.decimal, DECIMALS)


def _quoted(sign: str, known: dict[str, str]) -> str:
    """SQL for a sign of a dialect; only known ones get as far as a statement."""
    if sign not in known:
        raise KeyError(sign)
    return f"'{sign}'"


def _guarded(key: str) -> str:
    """A plain signed number, such as a telephone number used as an id, is no formula and stays as it is.

    Only texts that start with a trigger or a blank, which are few, are looked at more closely.
    """
    suspicious = f"""ascii("{key}") IN ({_codes(_TRIGGERS + " ")})"""
    formula = f"""ascii(ltrim("{key}")) IN ({_codes(_TRIGGERS)})"""
    number = """'^[+-][0-9]+([.,][0-9]+)?$'"""
    return (
        f"""CASE WHEN {suspicious} AND {formula} AND "{key}" !~ {number} """
        f"""THEN '''' || "{key}" ELSE "{key}" END"""
    )


def _codes(signs: str) -> str:
    return ", ".join(str(ord(each)) for each in signs)
