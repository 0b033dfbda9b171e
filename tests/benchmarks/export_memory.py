"""The memory of a worker that writes each of the three files, and of the processes that draw a PDF."""

import json
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings

from merchant.models import Merchant
from tests.benchmarks import large_table
from tests.benchmarks.measure import Line, Sizes

_LIMIT, _LIMIT_PDF = 120, 300


def measure(sizes: Sizes) -> Iterator[Line]:
    """CSV and XLSX of all rows, PDF of some."""
    owner, _ = large_table.many(sizes.table)
    for kind in ("csv", "xlsx"):
        held = _held(owner, kind, sizes.table)
        yield _line(f"Memory of a worker, {kind.upper()} of {held['rows']:,} rows", held, "most", _LIMIT)
    held = _held(owner, "pdf", sizes.pdf)
    what = f"PDF of {held['rows']:,} rows"
    yield _line(f"Memory of a worker, {what}", held, "most", _LIMIT_PDF)
    yield _line(f"Memory of the largest process that draws, {what}", held, "started", _LIMIT_PDF)


def _line(what: str, held: dict[str, float], which: str, limit: float) -> Line:
    said, began = f"{held[which]:.0f} MB at most", f"{held['before']:.0f} MB in the worker before it began"
    return Line(what, said, began, [held[which]], limit, at_least=False, unit=" MB")


def _held(owner: Merchant, kind: str, rows: int) -> dict[str, float]:
    """The memory of one export in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.export_worker", str(owner.pk), kind, str(rows)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, check=True)
    held: dict[str, float] = json.loads(done.stdout)
    return held
