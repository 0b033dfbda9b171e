"""Pages of the list a second, beside Django's admin and django-tables2 over the same table."""

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from django.conf import settings
from django.test import Client

from merchant.embedded import ports
from tests.benchmarks import large_table
from tests.benchmarks.list_page import reader
from tests.benchmarks.measure import Line, Sizes
from tests.benchmarks.webhook import wait_for

# Both threads of the server have a connection and the templates by then.
_UNTIMED = 4
_OURS = "/transactions/", 40
_PEERS = {
    "Django's admin": ("/admin/transactions/transaction/", 4, 40),
    "django-tables2 with an exact count": ("/tables/", 8, 8),
}


def measure(sizes: Sizes) -> Iterator[Line]:
    """Over HTTP, from one server that has all three."""
    large, _ = large_table.many(sizes.table)
    browser = reader(large, is_staff=True, is_superuser=True)
    with _server() as port:
        for name, (address, number, limit) in _PEERS.items():
            pairs = [
                (_rate(port, browser, *_OURS), _rate(port, browser, address, number))
                for _ in range(sizes.rounds)
            ]
            ours, theirs = (f"{min(side):.1f}–{max(side):.1f} pages/s" for side in zip(*pairs, strict=True))
            # What a peer loses with every row it counts, it loses only in the large table.
            least = limit if sizes.table >= large_table.LARGE else limit / 8
            what = f"List pages a second, {2 * sizes.table:,} rows in the table"
            yield Line(what, ours, f"{theirs}: {name}", [ours / peer for ours, peer in pairs], least)


@contextlib.contextmanager
def _server() -> Iterator[int]:
    port = ports.free(None)
    options = "--worker-class gthread --workers 1 --threads 2 --no-control-socket".split()
    command = [sys.executable, "-m", "gunicorn", "merchant.wsgi", "--bind", f"{ports.HOST}:{port}", *options]
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.list_settings",
        "LOG_LEVEL": "ERROR",
    }
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=variables, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


def _rate(port: int, browser: Client, address: str, number: int) -> float:
    """Pages a second, one after the other on one connection."""
    line = http.client.HTTPConnection(ports.HOST, port, timeout=120)
    for _ in range(_UNTIMED):
        _page(line, browser, address)
    start = time.perf_counter()
    for _ in range(number):
        _page(line, browser, address)
    seconds = time.perf_counter() - start
    line.close()
    return number / seconds


def _page(line: http.client.HTTPConnection, browser: Client, address: str) -> None:
    name = settings.SESSION_COOKIE_NAME
    line.request("GET", address, headers={"Cookie": f"{name}={browser.cookies[name].value}"})
    answer = line.getresponse()
    if answer.status != 200 or b"</table>" not in answer.read():
        raise RuntimeError(f"{address} answered {answer.status}")
