"""Durations are counted over all processes, and a Redis that is down costs nothing else."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.exceptions import RedisError

from merchant import measures
from merchant.line import client
from merchant.models import Merchant
from merchant.paysuper.errors import NotFound
from tests.merchant.sandbox_receiver import eventually

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def trusting(monkeypatch) -> None:
    monkeypatch.setattr(measures, "_quiet_until", 0.0)


def test_many_threads_lose_no_count() -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(measures.observe, "x", "make", "ok", 0.2)
    [found] = measures.read("x")
    assert (found.name, found.outcome, found.number) == ("make", "ok", 200)
    assert found.total == pytest.approx(40)
    assert found.slower_than(0.95) == 0.25


def test_names_with_any_sign_and_durations_beyond_all_limits() -> None:
    measures.observe("x", "GET /a|b/*", "200", 5000)
    measures.observe("x", "GET /a|b/*", "500", 0.01)
    whole = measures.by_name("x")["GET /a|b/*"]
    assert whole.number == 2
    assert whole.slower_than(0.5) == 0.05
    assert whole.slower_than(0.95) == float("inf")
    assert measures.outcomes("x") == {"GET /a|b/*": {"200": 1, "500": 1}}


def test_without_redis_nothing_is_counted_and_nobody_waits(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    began = time.monotonic()
    for _ in range(1000):
        measures.observe("x", "make", "ok", 1)
    assert time.monotonic() - began < 1
    with pytest.raises(RedisError):
        measures.read("x")


def test_a_call_to_paysuper_is_counted_by_its_kind_and_end(lantern: Merchant) -> None:
    with client(lantern) as line:
        list(line.projects())
        with pytest.raises(NotFound):
            line.order(UNKNOWN)
    ended = measures.outcomes(measures.PAYSUPER)
    assert ended["GET /admin/api/v1/order/*"] == {"404": 1}
    assert ended["GET /admin/api/v1/projects"] == {"200": 1}


def test_a_call_that_never_arrives_is_counted_too(lantern: Merchant) -> None:
    lantern.api_url = "http://127.0.0.1:1"
    with client(lantern) as line, pytest.raises(Exception, match="no connection"):
        line._calls._document("GET", "/admin/api/v1/projects")
    eventually(lambda: measures.outcomes(measures.PAYSUPER)["GET /admin/api/v1/projects"] == {"NotSent": 1})
