"""The three files of an export, each beside the plain way to make one."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection
from django.db.models import QuerySet
from openpyxl import Workbook
from weasyprint import HTML

from tests.benchmarks import large_table
from tests.benchmarks.export_rows import HEADING, LAYOUT, STORED, ZONE, newest
from tests.benchmarks.measure import Line, Sizes, faster, interleaved, rates, seconds, timed
from transactions import exports
from transactions.exports import columns
from transactions.models import Transaction

_ON_PAPER = "local status project product country method transaction charge".split()
_LONGER = 4


def measure(sizes: Sizes) -> Iterator[Line]:
    """CSV, XLSX and PDF of the newest rows."""
    owner, _ = large_table.many(sizes.table)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _csv(newest(owner, sizes.table), sizes, folder)
        yield _xlsx(newest(owner, sizes.xlsx), sizes, folder)
        yield from _pdf(newest(owner, sizes.pdf), newest(owner, _LONGER * sizes.pdf - 100), sizes, folder)


def _ours(kind: str, found: QuerySet[Transaction], folder: Path) -> Callable[[], None]:
    return lambda: exports.write(kind, found, folder / f"ours.{kind}", HEADING, layout=LAYOUT) and None


def _csv(found: QuerySet[Transaction], sizes: Sizes, folder: Path) -> Line:
    """The peer writes what is stored: neither local times nor signs, decimals, guards or a check sum."""
    select, params = found.values_list(*STORED.values()).query.sql_with_params()

    def peer() -> None:
        connection.ensure_connection()
        with connection.connection.cursor() as cursor, (folder / "peer.csv").open("wb") as file:
            cursor.execute("SET jit = off")  # as for us
            with cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT csv)", params) as copy:
                for data in copy:
                    file.write(data)

    pairs = interleaved(_ours("csv", found, folder), peer, sizes.rounds)
    ours, theirs = rates(pairs, sizes.table, "rows")
    what = f"CSV of {sizes.table:,} rows × {len(STORED)} columns"
    return Line(what, ours, f"{theirs}: bare COPY of the stored columns", faster(pairs), 0.5)


def _xlsx(found: QuerySet[Transaction], sizes: Sizes, folder: Path) -> Line:
    source = columns.source(found, ZONE)
    select = source.select(f'"{key}"' for key in STORED)

    def peer() -> None:
        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        with connection.cursor() as cursor:
            cursor.execute(select, source.params)
            for row in cursor:
                sheet.append(row)
        book.save(folder / "peer.xlsx")

    pairs = interleaved(_ours("xlsx", found, folder), peer, sizes.rounds)
    ours, theirs = seconds(pairs)
    what = f"XLSX of {found.count():,} rows × {len(STORED)} columns"
    return Line(what, ours, f"{theirs}: openpyxl, write-only", faster(pairs), 6)


def _pdf(
    some: QuerySet[Transaction], many: QuerySet[Transaction], sizes: Sizes, folder: Path
) -> Iterator[Line]:
    rows = some.values_list(*(STORED[key] for key in _ON_PAPER))

    def peer() -> None:
        cells = ("".join(f"<td>{value}</td>" for value in row) for row in rows.all())
        table = "".join(f"<tr>{row}</tr>" for row in cells)
        page = "<style>@page { size: A4 landscape } body { font: 7pt sans-serif }</style>"
        HTML(string=f"{page}<table>{table}</table>").write_pdf(folder / "peer.pdf")

    pairs = interleaved(_ours("pdf", some, folder), peer, sizes.rounds)
    ours, theirs = seconds(pairs)
    what = f"PDF of {some.count():,} rows"
    yield Line(what, ours, f"{theirs}: one plain WeasyPrint document", faster(pairs), 1.5)
    long = timed(_ours("pdf", many, folder))
    growth = [(long / many.count()) / (short / some.count()) for short, _ in pairs]
    what = f"Time a row of a PDF of {many.count():,} rows"
    shorter = f"{ours} for {some.count():,} rows"
    yield Line(what, f"{long:.2f} s", shorter, growth, 1.2, at_least=False)
