"""Files of transactions: the rows of a queryset, of one moment, as CSV, XLSX, PDF or one PDF a month."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db.models import QuerySet

from merchant import walls
from transactions.exports import columns, control, csv_file, pdf_file, pdf_months
from transactions.exports.moment import snapshot
from transactions.exports.report import Heading, Layout, Progress, Report, Sum, TooManyRows, Written
from transactions.models import Transaction

__all__ = ["CONTENT_TYPES", "Heading", "Layout", "Progress", "Sum", "TooManyRows", "Written", "write"]

CONTENT_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "zip": "application/zip",
}


def _write_xlsx(report: Report, path: Path) -> None:
    # Not before it is needed: openpyxl takes 7 MB in every process, and only one of them writes workbooks.
    from transactions.exports import xlsx_file

    xlsx_file.write(report, path)


_WRITERS: dict[str, Callable[[Report, Path], None]] = {
    "csv": csv_file.write,
    "xlsx": _write_xlsx,
    "pdf": pdf_file.write,
    "zip": pdf_months.write,
}
_ON_PAPER = ("pdf", "zip")


def _unheard(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def write(
    format: str,  # noqa: A002 - the word that users, pages and commands have for it
    queryset: QuerySet[Transaction],
    path: Path,
    heading: Heading,
    progress: Progress = _unheard,
    layout: Layout = Layout(),  # noqa: B008 - frozen
    as_of: datetime | None = None,
) -> Written:
    """Write the rows of an ordered, unsliced queryset, read in one moment, to `path`.

    `progress(done, total)` is called at once with the total and then now and then, outside of any
    transaction of this module; what it raises ends the writing. `path` appears complete or not at all.
    `as_of` is for a file that is made again: what the file says of its instant, instead of this one; whether
    the rows are still those is for the caller to compare. A PDF has columns of its own.
    Raises TooManyRows for a PDF above EXPORT_PDF_CEILING rows and KeyError for an unknown format.
    """
    writer = _WRITERS[format]
    with walls.own_rows(), _complete_or_absent(path) as part, snapshot(queryset.db) as (connection, now):
        as_of = as_of or now
        sums = columns.sums(columns.source(queryset.order_by(), heading.time_zone), connection)
        titled = columns.titled(heading.time_zone)
        report = Report(
            columns=titled if format in _ON_PAPER else columns.chosen(titled, layout.columns),
            heading=heading,
            as_of=as_of,
            sums=sums,
            source=columns.source(queryset, heading.time_zone, masked=heading.masked),
            connection=connection,
            progress=progress,
            control=control.code(heading.asked, as_of, sums),
            layout=layout,
        )
        progress(0, report.rows)
        writer(report, part)
        size, sha256 = _settle(part)
    return Written(report.rows, as_of, sha256, size, report.control, sums, heading.filter_in_words)


@contextmanager
def _complete_or_absent(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place at the end, or goes after a failure."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _settle(part: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file that is safe on the disk by now."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256
