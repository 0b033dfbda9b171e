"""An identity provider for tests: renews tokens over HTTP and remembers how it was asked."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class TokenServer:
    """What it says to everybody, after `seconds`, and what it was asked."""

    url: str = ""
    status: int = 200
    answer: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    bodies: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextlib.contextmanager
def token_server(**answer: object) -> Iterator[TokenServer]:
    """A running token server that gives this answer."""
    said = TokenServer(answer=answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said.bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            said.headers.append(dict(self.headers))
            time.sleep(said.seconds)
            body = json.dumps(said.answer).encode()
            self.send_response(said.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        said.url = f"http://127.0.0.1:{server.server_port}/oauth2/token/"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield said
        server.shutdown()
