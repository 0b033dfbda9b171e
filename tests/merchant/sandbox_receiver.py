"""A merchant's webhook endpoint for tests: remembers what came and answers what it is told."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from msgspec import Struct


class Received(Struct):
    """One POST: when it came, the exact body and the signature."""

    path: str
    body: bytes
    signature: str
    at: float

    @property
    def document(self) -> dict[str, Any]:
        """The parsed body."""
        return json.loads(self.body)


class Receiver:
    """`answers` are used up one by one, the last one stays; a number is a status."""

    def __init__(self, *answers: int) -> None:
        self.answers = [*answers] or [200]
        self.received: list[Received] = []
        self.pause = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(
                    Received(self.path, body, self.headers["Authorization"], time.monotonic())
                )
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/{{project_id}}"

    def take(self, received: Received) -> int:
        self.received.append(received)
        time.sleep(self.pause)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait(self, count: int) -> list[Received]:
        eventually(lambda: len(self.received) >= count)
        return self.received

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def eventually(holds: Callable[[], object], seconds: float = 5) -> None:
    """Waits until something becomes true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
