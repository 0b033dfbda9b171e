"""Staged faults of the API and the other parts of the control interface."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import LIST, client, pay, refund, refunds


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=60, seed=2) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready
        ready.delete("/sandbox/faults")


def stage(api: httpx2.Client, **fault: object) -> None:
    assert api.post("/sandbox/faults", json=[fault]).status_code == 200


def test_a_status_fault_answers_for_paysuper_and_is_used_up(api: httpx2.Client) -> None:
    stage(api, kind="status", path="/order$", status=429, retry_after=7, body="<html>slow</html>", count=1)
    answer = api.get(LIST)
    assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "7", "<html>slow</html>")
    assert api.get(LIST).status_code == 200


def test_a_fault_meets_only_its_method_and_path_and_stays_until_cleared(api: httpx2.Client) -> None:
    stage(api, kind="status", method="GET", path="/projects", status=502)
    assert [api.get("/admin/api/v1/projects").status_code for _ in range(3)] == [502] * 3
    assert api.get(LIST).status_code == 200
    assert api.post("/admin/api/v1/projects").status_code == 405
    assert api.delete("/sandbox/faults").json() == {"faults": []}
    assert api.get("/admin/api/v1/projects").status_code == 200


def test_a_fault_of_probability_zero_never_happens(api: httpx2.Client) -> None:
    stage(api, kind="status", probability=0.0)
    assert {api.get(LIST).status_code for _ in range(10)} == {200}


def test_latency_delays_and_combines_with_another_fault(api: httpx2.Client) -> None:
    stage(api, kind="latency", seconds=0.2, count=1)
    stage(api, kind="status", status=503, count=1)
    started = time.monotonic()
    assert api.get(LIST).status_code == 503
    assert time.monotonic() - started >= 0.2


def test_a_reset_never_reaches_the_handler(api: httpx2.Client) -> None:
    uuid = pay(api)
    stage(api, kind="reset", method="POST", path="/refunds", count=1)
    with pytest.raises(httpx2.HTTPError):
        refund(api, uuid)
    assert refunds(api, uuid) == []


def test_a_lost_answer_has_been_processed(api: httpx2.Client) -> None:
    uuid = pay(api)
    stage(api, kind="lost_answer", method="POST", path=f"{uuid}/refunds", count=1)
    with pytest.raises(httpx2.HTTPError):
        refund(api, uuid)
    assert [item["status"] for item in refunds(api, uuid)] == [2]


def test_a_truncated_answer_breaks_off(api: httpx2.Client) -> None:
    stage(api, kind="truncated", path="/order", count=1)
    with pytest.raises(httpx2.HTTPError):
        api.get(LIST)
    assert api.get(LIST).status_code == 200


def test_requests_are_counted_also_those_that_met_a_fault(api: httpx2.Client) -> None:
    uuid = pay(api)
    stage(api, kind="reset", path="/refunds", count=1)
    with pytest.raises(httpx2.HTTPError):
        refund(api, uuid)
    refund(api, uuid)
    refunds(api, uuid)
    counted = api.get("/sandbox/requests", params={"path": f"{uuid}/refunds$", "method": "POST"}).json()
    path = f"{LIST}/{uuid}/refunds"
    assert counted == {"count": 2, "requests": [{"method": "POST", "path": path, "count": 2}]}


def test_the_facts_name_merchants_projects_secrets_and_tokens(api: httpx2.Client) -> None:
    facts = api.get("/sandbox/").json()
    assert [merchant["name"] for merchant in facts["merchants"]] == [
        "Lantern Works GmbH",
        "Copper Kettle Ltd",
    ]
    assert all(project["secret"] for project in facts["projects"])
    assert facts["tokens"]["sandbox-lantern-support-token"]["role"] == "merchant_support"
    assert facts["orders"] >= 60


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sandbox/payments", b'{"outcome":"lost"}'),
        ("/sandbox/payments", b'{"colour":"red"}'),
        ("/sandbox/payments", b'{"currency":"XXX"}'),
        ("/sandbox/payments", b"{"),
        ("/sandbox/faults", b'[{"kind":"fire"}]'),
        ("/sandbox/refunds/outcome", b"{}"),
        ("/sandbox/webhooks/url", b'{"project_id":"1","url":""}'),
    ],
)
def test_a_control_request_that_cannot_be_used_is_a_400_with_the_reason(
    api: httpx2.Client, path: str, body: bytes
) -> None:
    answer = api.post(path, content=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_unknown_control_paths_and_orders_are_404(api: httpx2.Client) -> None:
    assert api.get("/sandbox/nothing").status_code == 404
    assert api.post("/sandbox/orders/00000000-0000-4000-a000-000000000000/chargeback").status_code == 404
