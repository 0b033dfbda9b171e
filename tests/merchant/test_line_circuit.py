"""A line that fails is left alone for a while, by all workers and for longer each time."""

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Client
from merchant.paysuper.errors import NotSent
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import OWNER
from tests.merchant.test_line import ONCE


def quick(merchant: Merchant | None = None) -> line.CacheCircuit:
    name = line.circuit(merchant).line if merchant else "7"
    return line.CacheCircuit(name, limit=3, shortest=0.2, longest=0.5)


def opened(circuit: line.CacheCircuit) -> line.CacheCircuit:
    for _ in range(circuit.limit):
        circuit.failure()
    return circuit


def rest(circuit: line.CacheCircuit) -> float:
    until = circuit.rests_until()
    return (until - timezone.now()).total_seconds() if until else 0.0


def is_open(circuit: line.CacheCircuit, *, may_probe: bool = True) -> bool:
    try:
        circuit.allow(may_probe=may_probe)
    except NotSent:
        return True
    return False


def wait(circuit: line.CacheCircuit) -> None:
    time.sleep(max(rest(circuit), 0) + 0.01)


def test_failures_in_a_row_open_the_circuit_for_all_workers() -> None:
    for _ in range(2):
        quick().failure()
        assert not is_open(quick())
    quick().failure()
    assert is_open(quick())
    assert is_open(quick(), may_probe=False)
    assert not is_open(line.CacheCircuit("8"))


def test_a_success_between_failures_starts_the_count_again() -> None:
    for _ in range(4):
        quick().failure()
        quick().failure()
        quick().success()
    assert not is_open(quick())


def test_after_the_rest_one_read_probes_and_its_success_closes() -> None:
    circuit = opened(quick())
    wait(circuit)
    assert is_open(circuit, may_probe=False)
    assert [is_open(quick()) for _ in range(3)] == [False, True, True]
    circuit.success()
    assert not is_open(circuit)
    assert not is_open(circuit, may_probe=False)
    circuit.failure()
    assert not is_open(circuit)


def test_each_probe_in_vain_makes_the_rest_longer_up_to_a_limit() -> None:
    circuit = opened(quick())
    rests = [rest(circuit)]
    for _ in range(3):
        wait(circuit)
        assert not is_open(circuit)
        circuit.failure()
        rests.append(rest(circuit))
    assert [round(each, 1) for each in rests] == [0.2, 0.4, 0.5, 0.5]


def test_failures_of_calls_that_were_under_way_do_not_make_the_rest_longer() -> None:
    circuit = opened(quick())
    before = circuit.rests_until()
    for _ in range(5):
        circuit.failure()
    assert circuit.rests_until() == before


def test_a_refusal_says_when_the_next_try_is() -> None:
    circuit = opened(line.CacheCircuit("7"))
    with pytest.raises(NotSent, match=r"next try at \d\d:\d\d:\d\d UTC") as caught:
        circuit.allow(may_probe=True)
    assert 29 < caught.value.retry_after <= 30
    assert circuit.rests_until().strftime("%H:%M:%S") in str(caught.value)


def test_a_merchants_line_is_left_alone_and_its_page_says_so(lantern: Merchant, paysuper: Sandbox) -> None:
    assert line.trouble(lantern) == ""
    paysuper.stop()
    with line.client(lantern, ONCE) as client:
        for _ in range(5):
            assert line.trouble(lantern) == ""
            with pytest.raises(NotSent, match="no connection"):
                client.merchants()
        with pytest.raises(NotSent, match="not answering"):
            client.merchants()
    until = line.circuit(lantern).rests_until().astimezone(lantern.zone)
    assert line.trouble(lantern) == f"PaySuper is not answering; the next try is at {until:%H:%M:%S}."
    cache.set(f"line:{line.circuit(lantern).line}:open", (time.time() - 1, 30.0))
    assert line.trouble(lantern) == "PaySuper is not answering; the next try is due."


def test_another_address_is_asked_at_once(lantern: Merchant, paysuper: Sandbox) -> None:
    right, lantern.api_url = lantern.api_url, "http://127.0.0.1:1"
    opened(line.circuit(lantern))
    assert line.trouble(lantern)
    lantern.api_url = right
    assert line.trouble(lantern) == ""
    with line.client(lantern, ONCE) as client:
        assert client.merchants()


def test_a_paysuper_that_is_back_is_found_by_one_probe(lantern: Merchant, paysuper: Sandbox) -> None:
    circuit = opened(quick(lantern))
    wait(circuit)
    with Client(paysuper.url, OWNER, circuit=circuit, patience=ONCE) as client:
        assert client.merchants()
    assert line.trouble(lantern) == ""


@pytest.fixture
def broken_cache(settings: Any) -> None:
    """A cache that refuses every connection."""
    backend = "django.core.cache.backends.redis.RedisCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:9/0"}}


def test_a_broken_cache_stops_nobody(broken_cache: None) -> None:
    circuit = opened(quick())
    assert not is_open(circuit)
    assert not is_open(circuit, may_probe=False)
    circuit.success()
    assert circuit.rests_until() is None


def test_a_broken_cache_stops_no_call(lantern: Merchant, settings: Any) -> None:
    backend = "django.core.cache.backends.redis.RedisCache"
    real, settings.CACHES = (
        settings.CACHES,
        {"default": {"BACKEND": backend, "LOCATION": "redis://127.0.0.1:9"}},
    )
    with line.client(lantern) as client:
        assert client.merchants()
    assert line.trouble(lantern) == ""
    settings.CACHES = real
