"""The line of a merchant: tokens renewed once for all workers, and a dead PaySuper left alone."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import NotAllowed, NotSent
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN, connect
from tests.merchant.sandbox_client import OWNER
from tests.merchant.token_server import TokenServer, token_server
from transactions import sync

OLD = "an-expired-token"
ONCE = Patience(connect=0.5, read=0.5, reads=1)


@pytest.fixture
def provider() -> Iterator[TokenServer]:
    with token_server(access_token=OWNER, expires_in=3600, refresh_token="refresh-2") as server:
        yield server


def renewing(paysuper: Sandbox, provider: TokenServer) -> Merchant:
    """A merchant whose access token has ended."""
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, OLD)
    merchant.refresh_token, merchant.token_url = "refresh-1", provider.url
    merchant.save()
    return merchant


@pytest.fixture
def ended(db: None, quiet_paysuper: Sandbox, provider: TokenServer) -> Merchant:
    return renewing(quiet_paysuper, provider)


def stored() -> tuple[str, str]:
    merchant = Merchant.objects.get()
    return merchant.api_token, merchant.refresh_token


def test_an_ended_token_is_renewed_and_what_came_is_stored(ended: Merchant, provider: TokenServer) -> None:
    with line.client(ended) as client:
        assert client.merchants()
    assert stored() == (OWNER, "refresh-2")
    left = Merchant.objects.get().token_expires_at - timezone.now()
    assert 3500 < left.total_seconds() <= 3600
    with line.client(ended) as again, line.client(Merchant.objects.get()) as and_again:
        assert again.merchants() == and_again.merchants()
    assert provider.bodies == ["grant_type=refresh_token&refresh_token=refresh-1"]


def test_a_known_end_is_minded_before_the_call(ended: Merchant, provider: TokenServer) -> None:
    ended.api_token, ended.token_expires_at = OWNER, timezone.now()
    ended.save()
    provider.answer["access_token"] = "sandbox-lantern-developer-token"
    with line.client(ended) as client:
        assert [each.role for each in client.merchants()] == ["merchant_developer"]


def test_a_worker_that_comes_late_takes_what_another_one_got(ended: Merchant, provider: TokenServer) -> None:
    late = Merchant.objects.get()
    for merchant in (ended, late):
        with line.client(merchant) as client:
            assert client.merchants()
    assert len(provider.bodies) == 1
    assert late.refresh_token == "refresh-2"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_renew_once(quiet_paysuper: Sandbox, provider: TokenServer) -> None:
    renewing(quiet_paysuper, provider)
    provider.seconds = 0.3
    found: list[Any] = []

    def work() -> None:
        with line.client(Merchant.objects.get()) as client:
            found.append(client.merchants()[0].id)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (found, len(provider.bodies)) == ([LANTERN] * 4, 1)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_a_renewal_opens_it_also_closes(
    quiet_paysuper: Sandbox, provider: TokenServer
) -> None:
    merchant = renewing(quiet_paysuper, provider)
    open_ones: list[object] = []

    def work() -> None:
        with line.client(merchant) as client:
            client.merchants()
        open_ones.append(connection.connection)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    Merchant.objects.get()
    assert connection.connection is not None
    assert open_ones == [None]
    assert stored() == (OWNER, "refresh-2")


@pytest.mark.django_db(transaction=True)
def test_orders_can_be_written_while_a_token_is_renewed(
    quiet_paysuper: Sandbox, provider: TokenServer
) -> None:
    merchant = renewing(quiet_paysuper, provider)
    provider.seconds = 0.6

    def work() -> None:
        with line.client(Merchant.objects.get()) as client:
            client.merchants()
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    while not provider.bodies:
        time.sleep(0.01)
    started = time.monotonic()
    merchant.projects.create(paysuper_id="x", name="x")
    assert time.monotonic() - started < 0.3
    worker.join()


@pytest.mark.django_db(transaction=True)
def test_a_renewal_inside_a_transaction_is_refused_before_it_is_asked_for(
    quiet_paysuper: Sandbox, provider: TokenServer
) -> None:
    merchant = renewing(quiet_paysuper, provider)
    with transaction.atomic(), line.client(merchant) as client, pytest.raises(RuntimeError):
        client.merchants()
    assert provider.bodies == []


@pytest.mark.parametrize("status", [400, 401, 503])
def test_a_renewal_that_fails_loses_nothing(ended: Merchant, provider: TokenServer, status: int) -> None:
    provider.status = status
    with line.client(ended) as client, pytest.raises(NotAllowed):
        client.merchants()
    assert stored() == (OLD, "refresh-1")
    assert (ended.api_token, ended.refresh_token) == (OLD, "refresh-1")


def test_without_a_refresh_token_nothing_is_renewed(ended: Merchant, provider: TokenServer) -> None:
    ended.refresh_token = ""
    ended.save()
    with line.client(ended) as client, pytest.raises(NotAllowed):
        client.merchants()
    assert provider.bodies == []


def test_sync_and_refunds_use_this_line(ended: Merchant) -> None:
    assert sync.sync(ended).read > 0
    assert stored() == (OWNER, "refresh-2")


def test_generation_and_prefix_are_those_of_the_merchant(ended: Merchant) -> None:
    ended.generation, ended.api_prefix = "2019", "/api/v1"
    with line.client(ended) as client:
        assert (client._generation, client._prefix) == ("2019", "/api/v1")


# The circuit ----------------------------------------------------------------------------------------


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
