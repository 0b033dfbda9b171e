"""The client asks its circuit before every attempt and tells it what came of it."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import httpx2
import pytest

from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import NotSent, PaySuperError

NOWHERE = uuid4()


class Notes:
    """A circuit that writes down what it is told, and opens after some failures."""

    def __init__(self, opens_after: int = 100) -> None:
        self.told: list[str] = []
        self.opens_after = opens_after

    def allow(self, *, may_probe: bool) -> None:
        self.told.append("read?" if may_probe else "write?")
        if self.told.count("failure") >= self.opens_after:
            raise NotSent("open")

    def success(self) -> None:
        self.told.append("success")

    def failure(self) -> None:
        self.told.append("failure")


def asked(circuit: Notes, answer: Callable[[], httpx2.Response], *, write: bool = False) -> int:
    """How often PaySuper was asked by one call with three tries."""
    count = 0

    def handler(_: httpx2.Request) -> httpx2.Response:
        nonlocal count
        count += 1
        return answer()

    client = Client(
        "http://paysuper.test",
        "token",
        circuit=circuit,
        patience=Patience(reads=3, pause=0),
        transport=httpx2.MockTransport(handler),
    )
    with client:
        try:
            client.create_refund(NOWHERE, Decimal(1), "") if write else client.refunds(NOWHERE)
        except PaySuperError as error:
            circuit.told.append(type(error).__name__)
    return count


def broken() -> httpx2.Response:
    raise httpx2.ConnectError("no route")


def test_a_read_that_succeeds_is_a_success() -> None:
    circuit = Notes()
    assert asked(circuit, lambda: httpx2.Response(200, json={})) == 1
    assert circuit.told == ["read?", "success"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
def test_a_refusal_is_a_sign_of_life(status: int) -> None:
    circuit = Notes()
    asked(circuit, lambda: httpx2.Response(status))
    assert circuit.told[:2] == ["read?", "success"]


@pytest.mark.parametrize(
    "answer",
    [
        broken,
        lambda: httpx2.Response(503),
        lambda: httpx2.Response(429),
        lambda: httpx2.Response(200, text="<"),
    ],
    ids=["no connection", "503", "429", "cut off"],
)
def test_each_try_of_a_read_without_an_answer_is_a_failure(answer: Callable[[], httpx2.Response]) -> None:
    circuit = Notes()
    assert asked(circuit, answer) == 3
    assert circuit.told[:-1] == ["read?", "failure"] * 3


def test_a_circuit_that_opens_ends_the_tries_at_once() -> None:
    circuit = Notes(opens_after=1)
    assert asked(circuit, broken) == 1
    assert circuit.told == ["read?", "failure", "read?", "NotSent"]


def test_an_open_circuit_stops_reads_and_writes_before_they_are_sent() -> None:
    for write in (False, True):
        circuit = Notes(opens_after=0)
        assert asked(circuit, broken, write=write) == 0
        assert circuit.told[-1] == "NotSent"


def test_a_write_may_not_probe_and_its_failure_is_not_counted() -> None:
    circuit = Notes()
    assert asked(circuit, lambda: httpx2.Response(503), write=True) == 1
    assert circuit.told == ["write?", "NoAnswer"]
    asked(circuit, lambda: httpx2.Response(400), write=True)
    assert circuit.told[2:] == ["write?", "success", "Refused"]
