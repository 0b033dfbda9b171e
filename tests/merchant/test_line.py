"""The line of a merchant: tokens renewed once for all workers, and a dead PaySuper left alone."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Patience
from merchant.paysuper.errors import NotAllowed
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
