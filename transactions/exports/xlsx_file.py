"""XLSX: the workbook by openpyxl, the rows of its data sheets streamed into the archive as XML."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from transactions.exports import xlsx_book
from transactions.exports.copying import Rows, taken
from transactions.exports.report import Report
from transactions.exports.xlsx_rows import xml_row

ROWS_PER_SHEET = 1_048_575  # 1,048,576 lines with the header
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_DATA_END = b"</sheetData>"
_DIMENSION = re.compile(rb'(<dimension ref="A1:[A-Z]+)1(")')
_BATCH = 100
# Half the time of zlib's default for a fifth more bytes.
_LEVEL = 3
# A member above 2 GiB needs ZIP64, which is not forced on files that cannot come near: the longest texts
# that a row can hold take less than this many bytes.
_LONGEST_ROW = 12_000


class _Sheet(NamedTuple):
    """A data sheet that holds its header only, and how many rows it will have."""

    name: str
    content: bytes
    size: int


def write(report: Report, path: Path) -> None:
    """Write the report as a workbook: data sheets of up to 1,048,576 lines, then a summary.

    The same rows of the same moment make the same bytes.
    """
    starts = range(0, max(report.rows, 1), ROWS_PER_SHEET)
    sizes = [min(ROWS_PER_SHEET, report.rows - start) for start in starts]
    book = xlsx_book.make(report, sizes)
    with (
        ZipFile(io.BytesIO(book.archive)) as made,
        ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as out,
        _batches(report, book.styles, sizes) as batches,
    ):
        summable = True
        for member in made.infolist():
            found = _SHEET.fullmatch(member.filename)
            number = int(found[1]) if found else 0
            if 1 <= number <= len(sizes):
                sheet = _Sheet(member.filename, made.read(member), sizes[number - 1])
                summable &= _fill(out, sheet, batches, book.styles)
            else:
                content = xlsx_book.finished(book, member.filename, made.read(member), summable)
                # Not by its name alone, which would give it the hour of writing.
                out.writestr(ZipInfo(member.filename), content, ZIP_DEFLATED, _LEVEL)
    report.progress(report.rows, report.rows)


@contextmanager
def _batches(report: Report, styles: xlsx_book.Styles, sizes: list[int]) -> Iterator[Iterator[bytes]]:
    """The rows as XML, some hundred at a time and never across sheets; says how far it is."""
    select = report.source.select([xml_row(report.columns, styles)])
    cursor = report.connection.connection.cursor()
    with cursor, cursor.copy(f"COPY ({select}) TO STDOUT", report.source.params) as copy:
        yield _joined(report, iter(copy), sizes)


def _joined(report: Report, rows: Rows, sizes: list[int]) -> Iterator[bytes]:
    done = 0
    for size in sizes:
        for start in range(0, size, _BATCH):
            report.progress(done, report.rows)
            batch = min(_BATCH, size - start)
            yield taken(rows, batch)[0]
            done += batch


def _fill(out: ZipFile, sheet: _Sheet, batches: Iterator[bytes], styles: xlsx_book.Styles) -> bool:
    """Write a sheet with the batches of its rows put in; whether all its amounts are numbers."""
    before, after = sheet.content.split(_DATA_END)
    # Some readers, openpyxl's read-only one among them, look no further than this says.
    before = _DIMENSION.sub(rb"\g<1>%d\g<2>" % (sheet.size + 1), before)
    long, summable = f'<c s="{styles.long}"'.encode(), True
    with out.open(sheet.name, "w", force_zip64=sheet.size * _LONGEST_ROW > 2**31) as file:
        file.write(before)
        for batch in islice(batches, -(-sheet.size // _BATCH)):
            file.write(batch)
            summable &= long not in batch
        file.write(_DATA_END + after)
    return summable
