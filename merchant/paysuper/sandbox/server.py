"""The HTTP side of the sandbox: reads requests, meets faults, writes answers."""

import logging
import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from merchant.paysuper.sandbox import own_routes, routes
from merchant.paysuper.sandbox.answers import JSON, Answer, plain
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.faults import Fault
from merchant.paysuper.sandbox.world import World

log = logging.getLogger(__name__)
_RESET = struct.pack("ii", 1, 0)


class Server(ThreadingHTTPServer):
    """Listens as soon as it exists; set `world` before it serves."""

    daemon_threads = True
    request_queue_size = 128
    world: World

    def __init__(self, host: str, port: int) -> None:
        self._open: set[socket.socket] = set()
        super().__init__((host, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection for `hang_up`."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection that has ended."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Stops listening and ends kept-alive connections, so that nobody talks to a stopped sandbox."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            self.shutdown_request(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "PaySuperSandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Every method goes the same way."""
        request = self._request()
        world = cast("Server", self.server).world
        if request.path.startswith("/sandbox/"):
            self._write(_safely(own_routes.answer, world, request))
        else:
            self._meet(world, request)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - names of the base class

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
        )

    def _meet(self, world: World, request: Request) -> None:
        world.tally.add(request.method, request.path)
        request.faults = world.faults.meet(request.method, request.path)
        met: dict[str, Fault] = {fault.kind: fault for fault in request.faults}
        if "latency" in met:
            time.sleep(met["latency"].seconds)
        if "reset" in met:
            self._reset()
        elif "status" in met:
            self._write(_staged(met["status"]))
        elif "expired_token" in met:
            self._write(plain(401, "token has expired"))
        else:
            answer = _safely(routes.answer, world, request)
            self._leave(answer, met)

    def _leave(self, answer: Answer, met: dict[str, Fault]) -> None:
        """The request has been processed; the answer may still get lost on the way."""
        if "lost_answer" in met:
            self.close_connection = True
        elif "truncated" in met:
            self._write(answer, length=len(answer.body) // 2)
            self.close_connection = True
        else:
            self._write(answer)

    def _reset(self) -> None:
        """Closes at once and hard: the client sees a connection reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()

    def _write(self, answer: Answer, length: int | None = None) -> None:
        framing = {"Content-Length": str(len(answer.body))}
        if answer.chunks is not None:
            framing = {"Transfer-Encoding": "chunked"}
        self.send_response(answer.status)
        for name, value in ({"Content-Type": JSON} | framing | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        for chunk in answer.chunks or ():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(answer.body[:length] if answer.chunks is None else b"0\r\n\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Keeps requests out of stderr; `/sandbox/requests` counts them."""
        log.debug(format, *args)


def _staged(fault: Fault) -> Answer:
    body = plain(fault.status, "staged by the sandbox").body if fault.body is None else fault.body.encode()
    wait = fault.retry_after
    return Answer(fault.status, body, {} if wait is None else {"Retry-After": str(wait)})


def _safely(handle: Callable[[World, Request], Answer], world: World, request: Request) -> Answer:
    """A mistake of the sandbox looks like a panic of PaySuper: a bare 500 (contract §3)."""
    try:
        return handle(world, request)
    except Exception:
        log.exception("the sandbox failed to answer %s %s", request.method, request.path)
        return plain(500, "Internal Server Error")


def listen(host: str, port: int) -> Server:
    """A server that is bound to its port; raises OSError when the port is taken."""
    return Server(host, port)
