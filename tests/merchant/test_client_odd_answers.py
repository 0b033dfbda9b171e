"""Answers that are none: dripping, cut off, endless, of another shape; and secrets in none of the errors."""

import itertools
import socket
import time
import traceback
from collections.abc import Iterator
from decimal import Decimal

import httpx2
import msgspec
import pytest

from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import (
    NoAnswer,
    NotAllowed,
    PaySuperError,
    Refused,
    Unexpected,
)
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.examples import load
from tests.merchant.lines import ALWAYS, FAULTS, NOWHERE, answering, fault, talking


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
