"""Refunds of the sandbox: the order of the checks, asynchronous ends, chargebacks (contract §7)."""

import threading
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import LIST, Row, client, code, order, pay, refund, refunds, schema
from tests.merchant.sandbox_receiver import eventually


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=1500, seed=3, refund_delay=0.1) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


@pytest.fixture(scope="module")
def rows(api: httpx2.Client) -> list[Row]:
    return [
        row
        for offset in (0, 1000)
        for row in api.get(LIST, params={"limit": 1000, "offset": offset}).json()["items"]
    ]


def plan(api: httpx2.Client, outcome: str, count: int | None = 1) -> None:
    assert api.post("/sandbox/refunds/outcome", json={"outcome": outcome, "count": count}).status_code == 200


def status_of_refund(api: httpx2.Client, uuid: str) -> int:
    return refunds(api, uuid)[-1]["status"]


def first(rows: list[Row], status: str, **members: object) -> str:
    return next(
        row["uuid"]
        for row in rows
        if row["status"] == status and row["type"] == "order" and all(row[n] == v for n, v in members.items())
    )


def test_a_refund_is_in_progress_at_once_and_completed_later(api: httpx2.Client) -> None:
    uuid = pay(api, amount=23.8)
    answer = refund(api, uuid, amount=0.01)
    schema("Refund").validate(answer.json())
    assert (answer.status_code, answer.json()["status"], answer.json()["amount"]) == (201, 2, 23.8)
    assert order(api, uuid)["status"] == "processed"
    assert order(api, uuid)["refund_allowed"] is True
    eventually(lambda: order(api, uuid)["status"] == "refunded")
    assert status_of_refund(api, uuid) == 3


def test_a_completed_refund_inserts_a_row_that_points_to_the_original(api: httpx2.Client) -> None:
    uuid = pay(api)
    refund_id = refund(api, uuid).json()["id"]
    eventually(lambda: order(api, uuid)["status"] == "refunded")
    original = order(api, uuid)
    row = api.get(LIST, params={"status[]": "refunded", "sort[]": "-created_at"}).json()["items"][0]
    assert row["parent_order"]["uuid"] == uuid
    assert (row["type"], row["status"], row["transaction"]) == ("refund", "refunded", original["transaction"])
    assert row["transaction_date"] == original["transaction_date"]
    assert row["refund"]["receipt_number"] == original["refund"]["receipt_number"] == refund_id
    assert row["uuid"] != uuid


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"amount":"1"}', "application/json"),
        (b'{"amount":true}', "application/json"),
        (b'{"amount":1,"reason":5}', "application/json"),
        (b'{"amount":1}', "text/plain"),
    ],
)
def test_step_1_an_unreadable_body(api: httpx2.Client, body: bytes, content_type: str) -> None:
    answer = api.post(f"{LIST}/no-uuid/refunds", content=body, headers={"Content-Type": content_type})
    assert code(answer) == (400, "ma000023")


def test_step_2_a_bad_id_or_amount(api: httpx2.Client) -> None:
    unknown = "00000000-0000-4000-a000-000000000000"
    for uuid, body in (
        ("123", {"amount": 1}),
        (unknown, {}),
        (unknown, {"amount": 0}),
        (unknown, {"Amount": -1}),
    ):
        assert code(api.post(f"{LIST}/{uuid}/refunds", json=body)) == (400, "ma000002")
    assert "'gt'" in api.post(f"{LIST}/{unknown}/refunds", json={"AMOUNT": -1}).json()["details"]
    booked = api.post(f"{LIST}/{unknown}/refunds", json={"amount": 1, "is_chargeback": True})
    assert code(booked) == (400, "ma000002")


def test_step_3_an_unknown_or_foreign_order(sandbox: Sandbox, api: httpx2.Client) -> None:
    assert code(refund(api, "00000000-0000-4000-a000-000000000000")) == (404, "rf000005")
    with client(sandbox, "sandbox-copper-owner-token") as foreigner:
        assert code(refund(foreigner, pay(api))) == (404, "rf000005")


def test_step_4_a_refunded_order_and_its_refund_row(api: httpx2.Client, rows: list[Row]) -> None:
    assert code(refund(api, first(rows, "refunded"))) == (400, "rf000003")
    row = next(row["uuid"] for row in rows if row["type"] == "refund" and row["status"] == "refunded")
    assert code(refund(api, row)) == (400, "rf000003")


@pytest.mark.parametrize("status", ["created", "rejected", "canceled", "chargeback"])
def test_step_5_a_status_that_allows_no_refund(api: httpx2.Client, rows: list[Row], status: str) -> None:
    assert code(refund(api, first(rows, status))) == (400, "rf000002")


def test_step_5_an_order_whose_key_was_replaced(api: httpx2.Client) -> None:
    uuid = pay(api, kind="key")
    before = [item["code"] for item in order(api, uuid)["items"]]
    assert api.post(f"/sandbox/orders/{uuid}/key").status_code == 200
    assert order(api, uuid)["status"] == "processed"
    assert [item["code"] for item in order(api, uuid)["items"]] != before
    assert code(refund(api, uuid)) == (400, "rf000002")


def test_step_6_a_country_without_tariff(api: httpx2.Client, rows: list[Row]) -> None:
    assert code(refund(api, first(rows, "processed", country_code="ZA"))) == (400, "rf000007")


def test_step_7_another_refund_in_progress(api: httpx2.Client) -> None:
    uuid = pay(api)
    assert refund(api, uuid).status_code == 201
    assert code(refund(api, uuid)) == (400, "rf000004")
    assert len(refunds(api, uuid)) == 1


def test_step_9_other_methods_and_pending_orders_are_refused_by_the_payment_system(
    api: httpx2.Client,
) -> None:
    for uuid in (pay(api, method="QIWI"), pay(api, outcome="pending")):
        assert code(refund(api, uuid)) == (400, "rf000001")
        assert status_of_refund(api, uuid) == 1


def test_a_refused_refund_does_not_block_the_next(api: httpx2.Client) -> None:
    uuid = pay(api)
    plan(api, "refused")
    assert code(refund(api, uuid)) == (400, "rf000001")
    assert refund(api, uuid).status_code == 201
    assert refunds(api, uuid)[0]["status"] == 1


@pytest.mark.parametrize(("outcome", "status"), [("declined", 4), ("canceled", 5)])
def test_a_refund_that_fails_later_leaves_the_order_and_does_not_block(
    api: httpx2.Client, outcome: str, status: int
) -> None:
    uuid = pay(api)
    plan(api, outcome)
    assert refund(api, uuid).status_code == 201
    eventually(lambda: status_of_refund(api, uuid) == status)
    assert order(api, uuid)["status"] == "processed"
    assert refund(api, uuid).status_code == 201


def test_a_refund_that_stays_at_0_blocks_for_ever(api: httpx2.Client) -> None:
    uuid = pay(api)
    plan(api, "stuck_at_0")
    assert code(refund(api, uuid)) == (500, "ma000003")
    assert (status_of_refund(api, uuid), refunds(api, uuid)[0]["external_id"]) == (0, "")
    assert code(refund(api, uuid)) == (400, "rf000004")


def test_a_refund_that_stays_at_2_never_completes(api: httpx2.Client) -> None:
    uuid = pay(api)
    plan(api, "stuck_at_2")
    assert refund(api, uuid).status_code == 201
    other = pay(api)
    refund(api, other)
    eventually(lambda: order(api, other)["status"] == "refunded")
    assert (status_of_refund(api, uuid), order(api, uuid)["status"]) == (2, "processed")


def test_without_the_race_guard_two_simultaneous_refunds_pass_and_the_ledger_tells(
    sandbox: Sandbox, api: httpx2.Client
) -> None:
    uuid = pay(api)
    api.post(
        "/sandbox/faults", json={"kind": "no_race_guard", "path": "/refunds$", "seconds": 0.1, "count": 2}
    )
    statuses: list[int] = []

    def ask() -> None:
        with client(sandbox) as other:
            statuses.append(refund(other, uuid).status_code)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201, 201]
    eventually(lambda: api.get("/sandbox/ledger").json()["completed"].get(uuid) == 2)
    refund_rows = api.get(LIST, params={"status[]": "refunded", "limit": 1000}).json()["items"]
    assert [row["parent_order"]["uuid"] for row in refund_rows].count(uuid) == 2


def test_with_the_race_guard_only_one_of_many_simultaneous_refunds_passes(
    sandbox: Sandbox, api: httpx2.Client
) -> None:
    uuid = pay(api)
    statuses: list[int] = []

    def ask() -> None:
        with client(sandbox) as other:
            statuses.append(refund(other, uuid).status_code)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [400] * 7


def test_the_list_of_an_unknown_or_foreign_order_is_empty_without_an_error(
    sandbox: Sandbox, api: httpx2.Client, rows: list[Row]
) -> None:
    uuid = first(rows, "refunded")
    assert len(refunds(api, uuid)) == 1
    empty = {"count": 0, "items": None}
    with client(sandbox, "sandbox-copper-owner-token") as foreigner:
        assert foreigner.get(f"{LIST}/{uuid}/refunds").json() == empty
    assert api.get(f"{LIST}/00000000-0000-4000-a000-000000000000/refunds").json() == empty
    assert code(api.get(f"{LIST}/{uuid}/refunds?limit=-1")) == (400, "ma000002")
    assert code(api.get(f"{LIST}/{uuid}/refunds?offset=x")) == (400, "ma000023")
    schema("RefundList").validate(api.get(f"{LIST}/{uuid}/refunds").json())


def test_the_list_pages(api: httpx2.Client) -> None:
    uuid = pay(api)
    plan(api, "refused", 3)
    for _ in range(3):
        refund(api, uuid)
    page = api.get(f"{LIST}/{uuid}/refunds?limit=1&offset=1").json()
    assert (page["count"], [item["id"] for item in page["items"]]) == (3, [refunds(api, uuid)[1]["id"]])


def test_one_refund_is_read_by_any_own_order_but_not_by_support(
    sandbox: Sandbox, api: httpx2.Client, rows: list[Row]
) -> None:
    uuid, other = first(rows, "refunded"), first(rows, "created")
    refund_id = refunds(api, uuid)[0]["id"]
    for path in (uuid, other):
        assert api.get(f"{LIST}/{path}/refunds/{refund_id}").json()["original_order_id"] == uuid
    assert code(api.get(f"{LIST}/{uuid}/refunds/1")) == (400, "ma000002")
    assert code(api.get(f"{LIST}/{uuid}/refunds/{'0' * 24}")) == (404, "rf000005")
    with client(sandbox, "sandbox-lantern-support-token") as support:
        assert support.get(f"{LIST}/{uuid}/refunds/{refund_id}").status_code == 403
        assert support.get(f"{LIST}/{uuid}/refunds").status_code == 200


@pytest.mark.parametrize(
    ("role", "status"),
    [("owner", 201), ("developer", 201), ("support", 201), ("accounting", 403), ("view-only", 403)],
)
def test_who_may_create_a_refund(sandbox: Sandbox, api: httpx2.Client, role: str, status: int) -> None:
    with client(sandbox, f"sandbox-lantern-{role}-token") as user:
        answer = refund(user, pay(api))
    assert answer.status_code == status
    if status == 403:
        assert answer.json() == {"message": "Forbidden"}
    else:
        me = sandbox_user(api, role)
        assert answer.json()["creator_id"] == me


def sandbox_user(api: httpx2.Client, role: str) -> str:
    return api.get("/sandbox/").json()["tokens"][f"sandbox-lantern-{role}-token"]["user_id"]


def test_a_chargeback_flips_the_original_inserts_a_row_and_ends_refunds(api: httpx2.Client) -> None:
    uuid = pay(api)
    assert api.post(f"/sandbox/orders/{uuid}/chargeback").json()["status"] == "chargeback"
    row = api.get(LIST, params={"status[]": "chargeback", "sort[]": "-created_at"}).json()["items"][0]
    assert (row["parent_order"]["uuid"], row["type"]) == (uuid, "refund")
    schema("OrderView").validate(row)
    assert code(refund(api, uuid)) == (400, "rf000002")
    assert api.post(f"/sandbox/orders/{uuid}/chargeback").status_code == 409


def test_a_chargeback_before_the_refund_callback_keeps_the_order_charged_back(api: httpx2.Client) -> None:
    uuid = pay(api)
    refund(api, uuid)
    api.post(f"/sandbox/orders/{uuid}/chargeback")
    eventually(lambda: refunds(api, uuid)[0]["status"] == 3)
    assert order(api, uuid)["status"] == "chargeback"
