"""The three files of an export, each beside the plain way to make one."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet
from openpyxl import Workbook
from weasyprint import HTML

from tests.benchmarks import large_table
from tests.benchmarks.measure import Line, Sizes, faster, interleaved, rates, seconds
from transactions import exports, paging
from transactions.exports import columns
from transactions.models import Transaction

_ZONE = "Europe/Berlin"
_HEADING = exports.Heading("Lantern Works", _ZONE, "All transactions", "The benchmark")
_WIDTH = len(columns.titled(_ZONE))
_ON_PAPER = (
    "created_at status project__name product country method_title transaction_id charge_amount".split()
)


def measure(sizes: Sizes) -> Iterator[Line]:
    """CSV, XLSX and PDF of the newest rows."""
    owner, _ = large_table.many(sizes.table)
    found = paging.ordered(Transaction.objects.filter(merchant=owner), paging.DEFAULT_ORDER)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from _csv(found, sizes, folder)
        yield from _xlsx(_newest(found, sizes.xlsx), sizes, folder)
        yield from _pdf(_newest(found, sizes.pdf), sizes, folder)


def _newest(found: QuerySet[Transaction], rows: int) -> QuerySet[Transaction]:
    """These rows without a slice, which exports do not take."""
    return found.filter(created_at__gte=found[rows - 1].created_at)


def _ours(kind: str, found: QuerySet[Transaction], folder: Path) -> Callable[[], None]:
    return lambda: exports.write(kind, found, folder / f"ours.{kind}", _HEADING) and None


def _csv(found: QuerySet[Transaction], sizes: Sizes, folder: Path) -> Iterator[Line]:
    source = columns.source(found, _ZONE)

    def peer() -> None:
        with (
            (folder / "peer.csv").open("wb") as file,
            connection.connection.cursor() as cursor,
            cursor.copy(f"COPY ({source.sql}) TO STDOUT (FORMAT csv)", source.params) as copy,
        ):
            for data in copy:
                file.write(data)

    pairs = interleaved(_ours("csv", found, folder), peer, sizes.rounds)
    ours, theirs = rates(pairs, sizes.table, "rows")
    what = f"CSV of {sizes.table:,} rows × {_WIDTH} columns"
    yield Line(what, ours, f"{theirs}: bare COPY of the same typed select", faster(pairs), 0.5)


def _xlsx(found: QuerySet[Transaction], sizes: Sizes, folder: Path) -> Iterator[Line]:
    def peer() -> None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        source = columns.source(found, _ZONE)
        with connection.cursor() as cursor:
            cursor.execute(source.sql, source.params)
            for row in cursor:
                sheet.append(row)
        book.save(folder / "peer.xlsx")

    pairs = interleaved(_ours("xlsx", found, folder), peer, sizes.rounds)
    ours, theirs = seconds(pairs)
    what = f"XLSX of {found.count():,} rows × {_WIDTH} columns"
    yield Line(what, ours, f"{theirs}: openpyxl, write-only", faster(pairs), 6)


def _pdf(found: QuerySet[Transaction], sizes: Sizes, folder: Path) -> Iterator[Line]:
    def peer() -> None:
        rows = found.values_list(*_ON_PAPER)
        cells = ("".join(f"<td>{value}</td>" for value in row) for row in rows)
        table = "".join(f"<tr>{row}</tr>" for row in cells)
        page = "<style>@page { size: A4 landscape } body { font: 7pt sans-serif }</style>"
        HTML(string=f"{page}<table>{table}</table>").write_pdf(folder / "peer.pdf")

    pairs = interleaved(_ours("pdf", found, folder), peer, sizes.rounds)
    ours, theirs = seconds(pairs)
    what = f"PDF of {found.count():,} rows"
    yield Line(what, ours, f"{theirs}: one plain WeasyPrint document", faster(pairs), 1.5)
