"""XLSX: the workbook by openpyxl, the rows of its data sheets streamed into the archive as XML."""

import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from transactions.exports import xlsx_book
from transactions.exports.report import Report
from transactions.exports.xlsx_rows import xml_rows

ROWS_PER_SHEET = 1_048_575  # 1,048,576 lines with the header
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_DATA_END = b"</sheetData>"
_BATCH = 1_000
# Half the time of zlib's default for a tenth more bytes.
_LEVEL = 3
# A member above 2 GiB needs ZIP64, which is not forced on files that cannot come near: the longest texts
# that a row can hold take less than this many bytes.
_LONGEST_ROW = 12_000


def write(report: Report, path: Path) -> None:
    """Write the report as a workbook: data sheets of up to 1,048,576 lines, then a summary."""
    starts = range(0, max(report.rows, 1), ROWS_PER_SHEET)
    sizes = [min(ROWS_PER_SHEET, report.rows - start) for start in starts]
    book = xlsx_book.make(report, sizes)
    rows = _rows(report, book.styles)
    with (
        ZipFile(io.BytesIO(book.archive)) as made,
        ZipFile(path, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as out,
    ):
        for member in made.infolist():
            found = _SHEET.fullmatch(member.filename)
            number = int(found[1]) if found else 0
            if 1 <= number <= len(sizes):
                _fill(out, member, made.read(member), rows, sizes[number - 1])
            else:
                out.writestr(member.filename, made.read(member))
    report.progress(report.rows, report.rows)


def _rows(report: Report, styles: xlsx_book.Styles) -> Iterator[str]:
    """The rows as XML, one by one; says how far it is."""
    done = 0
    for rows in report.read(column.key for column in report.columns):
        report.progress(done, report.rows)
        yield from xml_rows(report.columns, rows, styles)
        done += len(rows)


def _fill(out: ZipFile, member: ZipInfo, sheet: bytes, rows: Iterator[str], size: int) -> None:
    """Copy a sheet that holds its header only, with the next `size` rows put in."""
    before, after = sheet.split(_DATA_END)
    with out.open(member.filename, "w", force_zip64=size * _LONGEST_ROW > 2**31) as file:
        file.write(before)
        for start in range(0, size, _BATCH):
            file.write("".join(islice(rows, min(_BATCH, size - start))).encode())
        file.write(_DATA_END + after)
