"""The webhook endpoint, beside a view on the same server that verifies and inserts and no more."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.db import connection

from fulfillment.models import WebhookEvent
from merchant.embedded import ports
from merchant.paysuper import signature
from tests.benchmarks import world
from tests.benchmarks.measure import Line as Figure, Sizes, faster, interleaved, rates
from tests.benchmarks.webhook_server import TABLE
from tests.conftest import HARBOUR, HARBOUR_SECRET

_LINES = 4
_EXAMPLE = settings.BASE_DIR / "tests" / "paysuper" / "examples" / "webhook.payment.success.simple.json"


def measure(sizes: Sizes) -> Iterator[Figure]:
    """Different events over a few kept-alive connections."""
    world.empty()
    world.lantern()
    WebhookEvent.objects.all().delete()
    with server() as port:
        pairs = interleaved(
            lambda: delivered(port, f"/webhooks/paysuper/{HARBOUR}/", sizes.events),
            lambda: delivered(port, f"/peer/{HARBOUR}/", sizes.events),
            sizes.rounds,
        )
    if WebhookEvent.objects.count() != sizes.events * sizes.rounds:
        raise RuntimeError("not every event was stored")
    ours, peer = rates(pairs, sizes.events, "events")
    what = "Webhook: verify, encrypt, store, ring"
    yield Figure(what, ours, f"{peer}: verify and INSERT on the same server", faster(pairs), 0.5)


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The web server as the Procfile starts it, with the peer beside."""
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    port = ports.free(None)
    options = "--worker-class gthread --workers 2 --threads 4 --no-control-socket".split()
    command = [sys.executable, "-m", "gunicorn", "merchant.wsgi", "--bind", f"{ports.HOST}:{port}", *options]
    variables = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.benchmarks.webhook_settings"}
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, cwd=settings.BASE_DIR, env=variables, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(port)
            delivered(port, f"/peer/{HARBOUR}/", 50)
            yield port
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    """Return when somebody listens there."""
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection((ports.HOST, port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("the web server does not start")


def delivered(port: int, path: str, events: int) -> float:
    """Seconds for so many events."""
    requests = [request(path) for _ in range(events)]
    start = time.perf_counter()
    with ThreadPoolExecutor(_LINES) as threads:
        list(threads.map(lambda number: _send(port, requests[number::_LINES]), range(_LINES)))
    return time.perf_counter() - start


def request(path: str) -> bytes:
    """A signed event of an order of its own."""
    document = json.loads(json.loads(_EXAMPLE.read_text())["raw_body"])
    document["id"], document["object"]["id"] = uuid4().hex, str(uuid4())
    body = json.dumps(document).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {ports.HOST}\r\nContent-Type: application/json\r\n"
        f"Authorization: {signature.sign(body, HARBOUR_SECRET)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _send(port: int, requests: list[bytes]) -> None:
    """One after the other on one connection."""
    with Line(port) as line:
        for each in requests:
            line.send(each)


class Line:
    """A kept-alive connection. Plain sockets: a client library costs more than the server."""

    def __init__(self, port: int) -> None:
        self.address = (ports.HOST, port)
        self.socket = socket.create_connection(self.address, 10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, request: bytes) -> None:
        """Send, and wait for the 200."""
        self.socket.sendall(request)
        answer = self.socket.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server said {answer[:60]!r}")
        if b"connection: close" in answer.lower():
            self.socket.close()
            self.socket = socket.create_connection(self.address, 10)
