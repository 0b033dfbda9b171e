"""What the client repeats, how long it waits, and when it gives up."""

import contextlib
import datetime as dt
import itertools
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from merchant.paysuper.answers import refusal
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import (
    NoAnswer,
    NotSent,
    PaySuperError,
    Unexpected,
)
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.lines import FAULTS, NOWHERE, QUICK, answering, fault, processed, talking
from tests.merchant.sandbox_client import OWNER


def asked(paysuper: Sandbox, path: str, method: str = "GET") -> int:
    answer = httpx2.get(f"{paysuper.url}/sandbox/requests", params={"path": path, "method": method})
    return answer.json()["count"]


@pytest.mark.parametrize("kind", ["reset", "lost_answer", "truncated", "status"])
def test_a_read_is_repeated_until_it_succeeds(api: Client, paysuper: Sandbox, kind: str) -> None:
    uuid = processed(paysuper)
    fault(paysuper, kind=kind, path=str(uuid), count=2)
    assert api.order(uuid).uuid == uuid
    assert asked(paysuper, str(uuid)) == 3


@pytest.mark.parametrize(
    ("kind", "leaf"),
    [("reset", NoAnswer), ("lost_answer", NoAnswer), ("truncated", NoAnswer), ("status", NoAnswer)],
)
def test_a_read_gives_up_after_its_tries(
    api: Client, paysuper: Sandbox, kind: str, leaf: type[PaySuperError]
) -> None:
    fault(paysuper, kind=kind, path="projects")
    with pytest.raises(leaf):
        list(api.projects())
    assert asked(paysuper, "projects") == QUICK.reads


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 301])
def test_a_decided_answer_is_not_asked_for_again(api: Client, paysuper: Sandbox, status: int) -> None:
    fault(paysuper, kind="status", status=status, path="projects")
    with pytest.raises(PaySuperError):
        list(api.projects())
    assert asked(paysuper, "projects") == 1


def test_a_redirect_is_never_followed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.url.host == "paysuper.test"
        return httpx2.Response(302, headers={"Location": "http://evil.test/"})

    with answering(handler) as client, pytest.raises(Unexpected):
        client.order(NOWHERE)


@pytest.mark.parametrize(("what", "leaf"), FAULTS)
def test_a_write_is_sent_exactly_once_in_every_fault(
    api: Client, paysuper: Sandbox, what: dict[str, object], leaf: type[PaySuperError]
) -> None:
    uuid = processed(paysuper)
    fault(paysuper, method="POST", path="refunds", **what)
    with pytest.raises(leaf):
        api.create_refund(uuid, Decimal(20), "Customer's request")
    assert asked(paysuper, "refunds", "POST") == 1


def test_a_write_without_a_connection_was_not_sent(paysuper: Sandbox) -> None:
    address = paysuper.url
    paysuper.stop()
    with Client(address, OWNER, patience=QUICK) as client, pytest.raises(NotSent):
        client.create_refund(NOWHERE, Decimal(20), "")


def paused(*answers: httpx2.Response, **patience: object) -> tuple[list[float], int]:
    """The pauses that a read makes over these answers, and how often it asked."""
    pauses: list[float] = []
    left = iter(answers)
    count = itertools.count()

    def handler(_: httpx2.Request) -> httpx2.Response:
        next(count)
        return next(left)

    client = Client(
        "http://paysuper.test",
        "token-of-the-test",
        patience=Patience(**patience),
        transport=httpx2.MockTransport(handler),
        sleep=pauses.append,
    )
    with client, contextlib.suppress(PaySuperError):
        client.refunds(NOWHERE)
    return pauses, next(count)


def test_pauses_grow_and_vary() -> None:
    pauses, tries = paused(*[httpx2.Response(503)] * 4, reads=4, pause=1.0)
    assert tries == 4
    for pause, middle in zip(pauses, (1, 2, 4), strict=True):
        assert middle * 0.5 <= pause <= middle * 1.5
    assert pauses != paused(*[httpx2.Response(503)] * 4, reads=4, pause=1.0)[0]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int) -> None:
    busy = httpx2.Response(status, headers={"Retry-After": "7"})
    assert paused(busy, httpx2.Response(200, json={"items": None})) == ([7.0], 2)


def test_retry_after_may_be_a_date() -> None:
    moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=9)
    for date in (format_datetime(moment, usegmt=True), format_datetime(moment.replace(tzinfo=None))):
        busy = httpx2.Response(503, headers={"Retry-After": date})
        (pause,), _ = paused(busy, httpx2.Response(200, json={"items": None}), pause=0.0)
        assert 7 < pause <= 9
    past = {"Retry-After": "Wed, 17 Feb 2021 13:41:03 GMT"}
    assert refusal(503, past, b"").retry_after == 0


def test_a_longer_pause_than_ours_is_left_to_the_caller() -> None:
    busy = httpx2.Response(503, headers={"Retry-After": "21"})
    with answering(lambda _: busy, reads=3) as client, pytest.raises(NoAnswer) as caught:
        client.order(NOWHERE)
    assert caught.value.retry_after == 21
    assert paused(busy, longest_pause=20.0) == ([], 1)


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "Wed, 99 Feb 2021",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "86401",
        "-5",
        "1.5",
        "",
        "²",
        "1e3",
        "9" * 400,
    ],
)
def test_a_retry_after_that_makes_no_sense_breaks_nothing(text: str) -> None:
    busy = httpx2.Response(429, headers=[(b"Retry-After", text.encode("latin-1"))])
    pauses, tries = paused(busy, httpx2.Response(200, json={"items": None}), longest_pause=20.0)
    assert tries == 2
    assert 0 < pauses[0] <= 20


def test_a_slow_answer_is_given_up(api: Client, paysuper: Sandbox) -> None:
    fault(paysuper, kind="latency", seconds=0.9, path="projects", count=1)
    assert list(api.projects())
    assert asked(paysuper, "projects") == 2


def test_a_server_that_never_answers_is_given_up() -> None:
    with (
        talking(lambda connection: time.sleep(1)) as address,
        Client(address, "token", patience=Patience(read=0.1, reads=1)) as client,
        pytest.raises(NoAnswer),
    ):
        client.order(NOWHERE)


def test_a_server_that_accepts_no_connection_is_given_up() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with socket.create_connection(address), contextlib.ExitStack() as stack:
            for _ in range(4):  # the kernel's queue
                more = stack.enter_context(socket.socket())
                more.setblocking(False)
                more.connect_ex(address)
            client = Client(
                f"http://127.0.0.1:{address[1]}", "token", patience=Patience(connect=0.2, reads=1)
            )
            started = time.monotonic()
            with client, pytest.raises(NotSent):
                client.order(NOWHERE)
            assert time.monotonic() - started < 2


def test_many_threads_do_not_ask_all_at_once() -> None:
    busy, most, lock = 0, 0, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal busy, most
            with lock:
                busy, most = busy + 1, max(most, busy + 1)
            time.sleep(0.1)
            with lock:
                busy -= 1
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with Client(address, "token") as client, ThreadPoolExecutor(20) as threads:
            assert list(threads.map(lambda _: client.refunds(NOWHERE), range(20))) == [[]] * 20
        server.shutdown()
    assert 1 < most <= 8
