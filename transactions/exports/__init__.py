"""Files of transactions: exactly the rows of a queryset, of one moment, as CSV, XLSX or PDF."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db.models import QuerySet

from transactions.exports import columns, csv_file, pdf_file, xlsx_file
from transactions.exports.moment import snapshot
from transactions.exports.report import Heading, Progress, Report, TooManyRows, Written
from transactions.models import Transaction

__all__ = ["CONTENT_TYPES", "Heading", "Progress", "TooManyRows", "Written", "write"]

CONTENT_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_WRITERS: dict[str, Callable[[Report, Path], None]] = {
    "csv": csv_file.write,
    "xlsx": xlsx_file.write,
    "pdf": pdf_file.write,
}


def _unheard(done: int, total: int) -> None:
    """Progress that nobody asked for."""


def write(
    format: str,  # noqa: A002 - the word that users, pages and commands have for it
    queryset: QuerySet[Transaction],
    path: Path,
    heading: Heading,
    progress: Progress = _unheard,
) -> Written:
    """Write the rows of an ordered, unsliced queryset, read in one moment, to `path`.

    `progress(done, total)` is called at once with the total and then now and then, outside of any
    transaction of this module; what it raises ends the writing. `path` appears complete or not at all.
    Raises TooManyRows for a PDF above EXPORT_PDF_CEILING and KeyError for an unknown format.
    """
    writer = _WRITERS[format]
    with _complete_or_absent(path) as part, snapshot(queryset.db) as (connection, as_of):
        report = Report(
            columns=columns.titled(heading.time_zone),
            heading=heading,
            as_of=as_of,
            sums=columns.sums(columns.source(queryset.order_by(), heading.time_zone), connection),
            source=columns.source(queryset, heading.time_zone, masked=heading.masked),
            connection=connection,
            progress=progress,
        )
        progress(0, report.rows)
        writer(report, part)
        size, sha256 = _settle(part)
    return Written(report.rows, as_of, sha256, size)


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
