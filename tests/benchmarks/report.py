"""The figures as a page of the documentation."""

import os
import platform
from importlib.metadata import version
from statistics import median

from django.conf import settings
from django.db import connection
from django.utils import timezone

from tests.benchmarks.measure import SCALES, Line

FILE = settings.BASE_DIR / "docs" / "benchmarks.md"
_INTRODUCTION = """\
# Benchmarks

Written by `make bench` (`SCALE=full make bench` for the large sizes); do not edit. Each line compares us
with a peer that does the same work in the same run, in turns: trust the ratios, not the seconds. The median
decides whether a limit holds.
"""
_HEAD = "| what | we | the peer | min | median | max | limit | holds |\n|---|---|---|--:|--:|--:|--:|---|"
_PACKAGES = "Django psycopg celery gunicorn openpyxl weasyprint".split()


def document(lines: list[Line], scale: str, seconds: float) -> str:
    """The whole page."""
    missed = [line.what for line in lines if not line.holds]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "Every limit holds."
    table = "\n".join([_HEAD, *map(row, lines)])
    facts = "\n".join(f"- {fact}" for fact in _facts(scale, seconds))
    return f"{_INTRODUCTION}\n{table}\n\n{verdict}\n\n## This run\n\n{facts}\n"


def row(line: Line) -> str:
    """One line of the table."""
    figures = (min(line.figures), median(line.figures), max(line.figures))
    shown = [f"{each:.2f}{line.unit}" if line.unit == "×" else f"{each:.0f}{line.unit}" for each in figures]
    limit = f"{'≥' if line.at_least else '≤'} {line.limit:g}{line.unit}"
    cells = [line.what, line.product, line.peer, *shown, limit, "yes" if line.holds else "**no**"]
    return f"| {' | '.join(cells)} |"


def _facts(scale: str, seconds: float) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('fsync')")
        server, fsync = cursor.fetchone()
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    sizes = ", ".join(f"{name} {value:,}" for name, value in vars(SCALES[scale]).items())
    return [
        f"{timezone.now():%Y-%m-%d %H:%M} UTC, {seconds:.0f} s, scale {scale}: {sizes}",
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}",
        f"Load at the end (1, 5 and 15 minutes, our own included): {load}",
        f"PostgreSQL {server} (fsync {fsync}), Python {platform.python_version()}, {versions}",
    ]
