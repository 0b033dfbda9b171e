"""The line to PaySuper: reads are patient, writes are sent once, and every fault has its name."""

import contextlib
import datetime as dt
import itertools
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID, uuid4

import httpx2
import msgspec
import pytest

from merchant.paysuper.answers import refusal
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import (
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSent,
    PaySuperError,
    Refused,
    Unexpected,
    error_for,
)
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.examples import FOLDER, load
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


def asked(paysuper: Sandbox, path: str, method: str = "GET") -> int:
    answer = httpx2.get(f"{paysuper.url}/sandbox/requests", params={"path": path, "method": method})
    return answer.json()["count"]


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


def test_a_page_of_orders_is_read_with_its_total_and_the_moment_of_asking(api: Client) -> None:
    before = dt.datetime.now(dt.UTC)
    page = api.orders(*ALWAYS, limit=10)
    assert len(page.orders) == page.received == 10 < page.total
    assert before <= page.asked_at <= dt.datetime.now(dt.UTC)
    rest = api.orders(*ALWAYS, offset=10, limit=1000)
    assert len({order.uuid for order in page.orders + rest.orders}) == page.total
    assert api.beginning() == min(order.created_at for order in page.orders + rest.orders)


def test_an_order_its_refunds_and_the_projects_are_read(api: Client, paysuper: Sandbox) -> None:
    uuid = processed(paysuper)
    assert api.order(uuid).uuid == uuid
    assert api.refunds(uuid) == []
    refund = api.create_refund(uuid, Decimal("20.00"), "Customer's request")
    assert (refund.order_uuid, refund.amount.amount, refund.status) == (uuid, Decimal(20), 2)
    assert [each.id for each in api.refunds(uuid)] == [refund.id]
    names = [project.name for project in api.projects()]
    assert names == [api.project(project.id).name for project in api.projects()] != []


def test_more_than_one_page_of_projects_is_walked() -> None:
    document = load("admin.projects.get.json")["item"]
    all_of_them = [document | {"id": f"{number:024x}"} for number in range(230)]

    def handler(request: httpx2.Request) -> httpx2.Response:
        offset = int(request.url.params["offset"])
        return httpx2.Response(200, json={"count": 230, "items": all_of_them[offset : offset + 100]})

    with answering(handler) as client:
        assert len({project.id for project in client.projects()}) == 230


def test_the_amount_of_a_refund_is_sent_as_the_number_that_it_is() -> None:
    bodies = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        bodies.append(request.content)
        return httpx2.Response(201, content=(FOLDER / "admin.refund.completed.json").read_bytes())

    with answering(handler) as client:
        client.create_refund(NOWHERE, Decimal("1234567890123.450"), "x")
    assert bodies == [b'{"amount":1234567890123.450,"reason":"x"}']


@pytest.mark.parametrize(
    ("status", "code", "leaf"),
    [
        (400, "ma000002", Refused),
        (400, "ma000023", Refused),
        (400, "rf000001", Refused),
        (400, "rf000002", Refused),
        (400, "rf000003", Refused),
        (400, "rf000004", Refused),
        (400, "rf000007", Refused),
        (400, "fm000025", NoAnswer),
        (401, "", NotAllowed),
        (403, "", NotAllowed),
        (404, "rf000005", NotFound),
        (404, "fm000021", NotFound),
        (404, "", NotFound),
        (402, "", Refused),
        (405, "", Unexpected),
        (406, "", Refused),
        (408, "", NoAnswer),
        (409, "", Refused),
        (422, "", Refused),
        (429, "", NotSent),
        (500, "ma000001", NoAnswer),
        (500, "", NoAnswer),
        (502, "", NoAnswer),
        (503, "", NoAnswer),
        (504, "", NoAnswer),
        (301, "", Unexpected),
        (307, "", Unexpected),
        (100, "", Unexpected),
    ],
)
def test_status_and_code_decide_what_went_wrong(status: int, code: str, leaf: type[PaySuperError]) -> None:
    error = error_for(status, code, "a text", retry_after=7.0)
    assert type(error) is leaf
    assert (error.status, error.code, error.retry_after) == (status, code, 7.0)


@pytest.mark.parametrize(
    ("name", "leaf"),
    [
        ("error.400.validation.json", Refused),
        ("error.400.date-filter.json", Refused),
        ("error.400.rf000004.json", Refused),
        ("error.401.json", NotAllowed),
        ("error.403.json", NotAllowed),
        ("error.404.order.json", NotFound),
        ("error.500.json", NoAnswer),
    ],
)
def test_the_errors_of_the_contract_are_named(name: str, leaf: type[PaySuperError]) -> None:
    body, status = (FOLDER / name).read_bytes(), int(name.split(".")[1])
    with answering(lambda _: httpx2.Response(status, content=body)) as client, pytest.raises(leaf) as caught:
        client.order(NOWHERE)
    assert (caught.value.status, caught.value.code) == (status, load(name).get("code", ""))


def test_real_refusals_are_named(api: Client, paysuper: Sandbox) -> None:
    with pytest.raises(NotFound) as missing:
        api.order(NOWHERE)
    assert (missing.value.status, missing.value.code) == (404, "fm000021")
    uuid = processed(paysuper)
    api.create_refund(uuid, Decimal(20), "")
    with pytest.raises(Refused):
        api.create_refund(uuid, Decimal(20), "")
    with Client(paysuper.url, "not-a-known-token") as stranger, pytest.raises(NotAllowed):
        stranger.order(uuid)


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


def test_a_body_that_drips_is_given_up_in_total() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            connection.sendall(b" ")
            time.sleep(0.02)

    with talking(drip) as address:
        started = time.monotonic()
        patience = Patience(read=0.5, total=0.3, reads=1)
        with Client(address, "token", patience=patience) as client, pytest.raises(NoAnswer):
            client.order(NOWHERE)
        assert time.monotonic() - started < 1.5


def test_an_answer_that_ends_too_soon_is_no_answer() -> None:
    half = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"items": null}'
    with (
        talking(lambda connection: connection.sendall(half)) as address,
        Client(address, "token", patience=Patience(read=0.5, reads=1)) as client,
        pytest.raises(NoAnswer),
    ):
        client.refunds(NOWHERE)


def test_what_does_not_speak_http_is_no_answer() -> None:
    with (
        talking(lambda connection: connection.sendall(b"220 mail ready\r\n")) as address,
        Client(address, "token", patience=Patience(read=0.5, reads=1)) as client,
        pytest.raises(NoAnswer),
    ):
        client.refunds(NOWHERE)


def test_a_body_without_end_is_given_up() -> None:
    sent = itertools.count()

    def endless() -> Iterator[bytes]:
        for _ in range(400):
            next(sent)
            yield b" " * 1024 * 1024

    with answering(lambda _: httpx2.Response(200, content=endless())) as client, pytest.raises(NoAnswer):
        client.order(NOWHERE)
    assert next(sent) < 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b"\x00",
        b"[" * 100_000,
        b'{"uuid": ' + b"1" * 5000 + b"}",
        b'{"uuid": 1e99999999999999999999}',
        b'{"uuid": NaN}',
    ],
)
def test_an_order_that_is_none_ends_in_a_named_error(body: bytes) -> None:
    with answering(lambda _: httpx2.Response(200, content=body)) as client:
        with pytest.raises((NoAnswer, Unexpected)):
            client.order(NOWHERE)
        with pytest.raises(NoAnswer):
            client.create_refund(NOWHERE, Decimal(1), "")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"7", b'{"code":5,"message":["x"]}', b"<html>", b"\xff", b"[" * 9000]
)
def test_a_refusal_with_any_body_has_its_status(body: bytes) -> None:
    with (
        answering(lambda _: httpx2.Response(403, content=body)) as client,
        pytest.raises(NotAllowed) as caught,
    ):
        client.order(NOWHERE)
    assert caught.value.status == 403


def test_the_text_of_a_refusal_fits_logs_and_database() -> None:
    body = '{"code":"x\\u0000y","message":"a\\u0000b\\nc' + "z" * 900 + '"}'
    with answering(lambda _: httpx2.Response(400, content=body)) as client, pytest.raises(Refused) as caught:
        client.order(NOWHERE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 450


def test_one_unreadable_order_does_not_spoil_its_page() -> None:
    good, bad = load("admin.order.simple.pending.json"), {"uuid": "7", "news": "x"}
    bodies = [load("admin.order.simple.processed.card.json") | {"total_payment_amount": "much"}, None, 7, []]
    content = msgspec.json.Encoder(decimal_format="number").encode(
        {"count": 6, "items": [bad, good, *bodies]}
    )
    with answering(lambda _: httpx2.Response(200, content=content)) as client:
        page = client.orders(*ALWAYS)
        assert client.beginning() is not None
    assert [str(order.uuid) for order in page.orders] == [good["uuid"]]
    assert (len(page.unreadable), page.received, page.total) == (5, 6, 6)
    assert page.unreadable[0].startswith("7: ")


@pytest.mark.parametrize("ask", ["orders", "beginning", "refunds"])
def test_an_emptiness_of_another_shape_is_not_believed(ask: str) -> None:
    with answering(lambda _: httpx2.Response(200, json=[])) as client, pytest.raises(Unexpected):
        getattr(client, ask)(*{"orders": ALWAYS, "beginning": (), "refunds": (NOWHERE,)}[ask])


def test_half_a_surrogate_pair_does_not_spoil_its_page() -> None:
    document = load("admin.order.simple.pending.json") | {"transaction": "HERE"}
    body = msgspec.json.Encoder(decimal_format="number").encode({"count": 1, "items": [document]})
    body = body.replace(b"HERE", b"a\\ud83db")
    with answering(lambda _: httpx2.Response(200, content=body)) as client:
        (order,) = client.orders(*ALWAYS).orders
    assert order.transaction == "a?b"
    assert isinstance(order.total.amount, Decimal)


def test_first_orders_without_any_time_are_an_error_and_none_at_all_is_none() -> None:
    with answering(lambda _: httpx2.Response(200, json={"count": 0, "items": None})) as client:
        assert client.beginning() is None
    with (
        answering(lambda _: httpx2.Response(200, json={"items": [{"uuid": "7"}]})) as client,
        pytest.raises(Unexpected),
    ):
        client.beginning()


SECRET = "a-token-that-nobody-may-see"


@pytest.mark.parametrize("what", [{"kind": "status", "status": 401}, *(what for what, _ in FAULTS)])
def test_the_token_is_in_no_error_and_no_repr(paysuper: Sandbox, what: dict[str, object]) -> None:
    fault(paysuper, path="order/", **what)
    with Client(paysuper.url, SECRET, patience=Patience(read=0.3, reads=1)) as client:
        for ask in (lambda: client.order(NOWHERE), lambda: client.create_refund(NOWHERE, Decimal(1), "")):
            with pytest.raises(PaySuperError) as caught:
                ask()
            assert SECRET not in told(caught.value)
        assert SECRET not in repr(client)


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET}\r\nX: y", f"ü{SECRET}", f"{SECRET}\0"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        Client("http://paysuper.test", token)
    assert SECRET not in told(caught.value)


def told(error: PaySuperError) -> str:
    """Everything that a log could tell of an error."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
