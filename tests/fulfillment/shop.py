"""A merchant's own server for tests: a real one, that answers and remembers as it is told."""

import contextlib
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True)
class Said:
    """An answer: its status, its body, how long it takes, and where it points to."""

    status: int = 200
    body: bytes = b"thanks"
    pause: float = 0.0
    location: str = ""


@dataclass(frozen=True)
class Heard:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Shop:
    """`answers` are used up one by one, the last one stays."""

    def __init__(self, *answers: Said, tls: ssl.SSLContext | None = None) -> None:
        self.answers = [*answers] or [Said()]
        self.heard: list[Heard] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                shop.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                said = shop.answers.pop(0) if len(shop.answers) > 1 else shop.answers[0]
                time.sleep(said.pause)
                self.send_response(said.status)
                if said.location:
                    self.send_header("Location", said.location)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # nobody reads more than they have to
                    self.wfile.write(said.body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_port
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/paid?key=a"

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.heard]

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
