"""One PDF a month, in a ZIP: for lists that are too long for one PDF. Not a row is left out."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from django.conf import settings

from transactions.exports import pdf_file
from transactions.exports.amounts import rounded
from transactions.exports.pdf_renderers import FOLDER
from transactions.exports.report import Report, Sum, TooManyRows

CONTENTS = "contents.txt"


def write(report: Report, path: Path) -> None:
    """Write the report as PDFs of the months of its zone, all of the same moment, and a list of them.

    Raises TooManyRows for a month above EXPORT_PDF_CEILING rows.
    """
    months = _months(report)
    for month, sums in months.items():
        if (rows := sum(each.count for each in sums)) > settings.EXPORT_PDF_CEILING:
            raise TooManyRows(
                f"A PDF holds up to {settings.EXPORT_PDF_CEILING:,} rows, and {month:%B %Y} alone has"
                f" {rows:,}: choose CSV or XLSX, or a narrower filter.",
                rows,
            )
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder, ZipFile(path, "w", ZIP_STORED) as out:
        for part, name in _parts(report, months):
            file = Path(folder, name)
            pdf_file.write(part, file)
            # Without the hour of writing: the same rows of the same moment make the same file.
            with file.open("rb") as source, out.open(ZipInfo(name), "w") as target:
                while chunk := source.read(1024 * 1024):
                    target.write(chunk)
            file.unlink()
        out.writestr(ZipInfo(CONTENTS), _contents(report, months))
    report.progress(report.rows, report.rows)


def _months(report: Report) -> dict[date, tuple[Sum, ...]]:
    """The sums of each month that has rows, the earliest first."""
    amount = f"round(sum({rounded('charge', 'charge_currency')}), 4)"
    month = """date_trunc('month', "local")::date"""
    select = report.source.select([month, '"charge_currency"', '"status"', "count(*)", amount])
    found: dict[date, tuple[Sum, ...]] = {}
    with report.connection.cursor() as cursor:
        cursor.execute(f"{select} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3", report.source.params)
        for start, *values in cursor.fetchall():
            found[start] = (*found.get(start, ()), Sum(*values))
    return found


def _parts(report: Report, months: dict[date, tuple[Sum, ...]]) -> Iterator[tuple[Report, str]]:
    """The report of each month with the name of its file; an empty report is one part of its own."""
    if not months:
        yield report, "transactions.pdf"
    done = 0
    for month, sums in months.items():
        before = done
        source = report.source.where("""date_trunc('month', "local")::date = %s""", month)
        heading = replace(
            report.heading, filter_in_words=f"{report.heading.filter_in_words} · Month: {month:%B %Y}"
        )

        def tell(rows: int, _: int, before: int = before) -> None:
            report.progress(before + rows, report.rows)

        part = replace(report, sums=sums, source=source, heading=heading, progress=tell)
        yield part, f"transactions-{month:%Y-%m}.pdf"
        done += part.rows


def _contents(report: Report, months: dict[date, tuple[Sum, ...]]) -> str:
    """Which files there are and what they add up to, so that a lost one is missed."""
    lengths = {month: sum(each.count for each in sums) for month, sums in months.items()}
    lines = [
        f"Transactions of {report.heading.merchant}",
        f"Filter: {report.heading.filter_in_words}",
        f"As of: {report.as_of_in_words}",
        f"Control code: {report.control}",
        f"Rows: {report.rows:,} in {len(months)} month{'' if len(months) == 1 else 's'}",
        "",
        *(
            f"transactions-{month:%Y-%m}.pdf: {rows:,} row{'' if rows == 1 else 's'}"
            for month, rows in lengths.items()
        ),
    ]
    return "\r\n".join(lines) + "\r\n"
