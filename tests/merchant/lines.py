"""Lines to a PaySuper that answers, is slow, or talks nonsense, for the tests of the client."""

import contextlib
import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import httpx2
import pytest

from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import (
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSent,
    Refused,
)
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import OWNER

QUICK = Patience(connect=0.5, read=0.5, total=1.0, reads=3, pause=0.01, longest_pause=5.0)
ALWAYS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
NOWHERE = uuid4()


@pytest.fixture
def api(paysuper: Sandbox) -> Iterator[Client]:
    with Client(paysuper.url, OWNER, patience=QUICK) as client:
        yield client


def fault(paysuper: Sandbox, **what: object) -> None:
    assert httpx2.post(f"{paysuper.url}/sandbox/faults", json=what).status_code == 200


def processed(paysuper: Sandbox) -> UUID:
    answer = httpx2.post(f"{paysuper.url}/sandbox/payments", json={"amount": 20})
    return UUID(answer.json()["uuid"])


def answering(handler: Callable[[httpx2.Request], httpx2.Response], **patience: object) -> Client:
    """A client whose PaySuper is a function: for answers that no real server gives."""
    return Client(
        "http://paysuper.test",
        "token-of-the-test",
        patience=Patience(**({"reads": 1, "pause": 0.0} | patience)),
        transport=httpx2.MockTransport(handler),
    )


@contextlib.contextmanager
def talking(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does what the script says with each connection; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        script(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


FAULTS = [
    ({"kind": "reset"}, NoAnswer),
    ({"kind": "lost_answer"}, NoAnswer),
    ({"kind": "truncated"}, NoAnswer),
    ({"kind": "latency", "seconds": 0.9}, NoAnswer),
    ({"kind": "status", "status": 200, "body": "<html>"}, NoAnswer),
    ({"kind": "status", "status": 201, "body": '{"half":'}, NoAnswer),
    ({"kind": "status", "status": 201, "body": "[]"}, NoAnswer),
    ({"kind": "status", "status": 201, "body": "{}"}, NoAnswer),
    ({"kind": "status", "status": 400, "body": '{"code":"fm000025","message":""}'}, NoAnswer),
    ({"kind": "status", "status": 400, "body": '{"code":"rf000001","message":""}'}, Refused),
    ({"kind": "status", "status": 401}, NotAllowed),
    ({"kind": "status", "status": 403}, NotAllowed),
    ({"kind": "status", "status": 404}, NotFound),
    ({"kind": "status", "status": 429, "retry_after": 1}, NotSent),
    ({"kind": "status", "status": 500}, NoAnswer),
    ({"kind": "status", "status": 502, "body": "<html>"}, NoAnswer),
    ({"kind": "status", "status": 503, "retry_after": 1}, NoAnswer),
]
