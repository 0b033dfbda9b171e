"""The generation of December 2019: what a client of then would meet (contract §18)."""

from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import MERCHANTS
from tests.merchant.examples import FOLDER
from tests.merchant.sandbox_client import LIST, Row, client, code, order, pay, refund, refunds, schema, spec
from tests.merchant.sandbox_receiver import Receiver, eventually

PROJECT = MERCHANTS[0].projects[0]
UNTIL = 1_577_000_000_000


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with Sandbox(
        generation=2019, orders=400, seed=7, until=UNTIL, refund_delay=0.03, webhook_url=receiver.url
    ) as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


@pytest.fixture(scope="module")
def rows(api: httpx2.Client) -> list[Row]:
    return listed(api, "project_date_to=1577000000")


def listed(api: httpx2.Client, query: str) -> list[Row]:
    return api.get(f"{LIST}?limit=1000&{query}").json()["items"] or []


def uuids(rows: list[Row]) -> set[str]:
    return {row["uuid"] for row in rows}


def plan(api: httpx2.Client, outcome: str) -> None:
    assert api.post("/sandbox/refunds/outcome", json={"outcome": outcome, "count": 1}).status_code == 200


def test_every_row_follows_the_contract_of_2019(rows: list[Row]) -> None:
    view = schema("OrderView2019")
    for row in rows:
        view.validate(row)


def test_rows_have_exactly_the_members_of_the_examples(rows: list[Row]) -> None:
    example = FOLDER / "admin.order.simple.processed.card.generation-2019.json"
    wanted = httpx2.Response(200, content=example.read_bytes()).json()
    row = next(row for row in rows if row["user"] and (row["payment_method"] or {}).get("card"))
    for block in (None, "project", "payment_method", "user"):
        shown, expected = (row, wanted) if block is None else (row[block], wanted[block])
        assert {*shown} - {"first_payment_at", "form_default_text"} == {*expected}
    later = schema("OrderView")
    assert not later.is_valid(row)
    assert set(row) < set(spec()["components"]["schemas"]["OrderViewBase"]["properties"])


def test_absent_money_is_null_and_the_webhook_secret_leaks(rows: list[Row]) -> None:
    sale = next(row for row in rows if row["type"] == "order")
    assert sale["refund_gross_revenue"] is None
    assert sale["gross_revenue"]["currency"]
    assert {row["project"]["secret_key"] for row in rows} == {
        project.secret for project in MERCHANTS[0].projects
    }


@pytest.mark.parametrize("outcome", ["created", "pending", "canceled", "rejected"])
def test_orders_without_accounting_are_neither_listed_nor_found(api: httpx2.Client, outcome: str) -> None:
    uuid = pay(api, outcome=outcome)
    assert code(api.get(f"{LIST}/{uuid}")) == (404, "fm000021")
    assert uuid not in uuids(listed(api, f"id={uuid}")) | uuids(listed(api, f"quick_search={uuid}"))
    assert uuid not in api.get("/sandbox/dump").text


def test_the_status_filter_is_equality(api: httpx2.Client, rows: list[Row]) -> None:
    for status in ("processed", "refunded", "chargeback"):
        found = listed(api, f"status[]={status}&project_date_to=1577000000")
        assert uuids(found) == {row["uuid"] for row in rows if row["status"] == status} != set()
    assert {row["type"] for row in listed(api, "status[]=refunded")} == {"order", "refund"}


def test_dates_are_unix_seconds_and_text_cannot_be_read(api: httpx2.Client, rows: list[Row]) -> None:
    first, last = rows[40]["created_at"]["seconds"], rows[90]["created_at"]["seconds"] + 1
    found = listed(api, f"project_date_from={first}&project_date_to={last}")
    made = {
        row["uuid"]: row["created_at"]["seconds"] * 1e9 + row["created_at"].get("nanos", 0) for row in rows
    }
    assert uuids(found) == {uuid for uuid, at in made.items() if first * 1e9 <= at <= last * 1e9}
    for name in ("project_date_from", "pm_date_to"):
        assert code(api.get(f"{LIST}?{name}=2019-12-01T00:00:00")) == (400, "ma000023")


def test_pm_date_is_the_exact_time_of_payment_and_not_overridden(api: httpx2.Client, rows: list[Row]) -> None:
    paid = {row["uuid"]: row["transaction_date"] for row in rows}
    moment = rows[50]["transaction_date"]["seconds"]
    window = f"pm_date_from={moment}&pm_date_to={moment + 20 * 86400}"
    expected = {uuid for uuid, at in paid.items() if moment <= at["seconds"] < moment + 20 * 86400}
    assert uuids(listed(api, window)) == expected
    both = listed(api, f"{window}&project_date_from={rows[60]['created_at']['seconds']}")
    assert uuids(both) == expected & uuids(
        [row for row in rows if row["created_at"]["seconds"] >= rows[60]["created_at"]["seconds"]]
    )
    assert 0 < len(both) < len(expected)


def test_searches_are_regular_expressions_over_fewer_fields(api: httpx2.Client, rows: list[Row]) -> None:
    wanted = next(row for row in rows if row["user"])
    start = wanted["uuid"][:8]
    assert wanted["uuid"] in uuids(listed(api, f"quick_search=^{start}.*$"))
    assert listed(api, f"account={start}") == []
    assert listed(api, f"account={wanted['user']['email'].replace('@', '.')}")
    assert listed(api, f"quick_search={wanted['user']['email']}") == []
    assert code(api.get(f"{LIST}?quick_search=(")) == (500, "rp000001")
    assert len(listed(api, "invoice_id=none&merchant_name=none")) >= len(rows)


def test_partial_refunds_until_the_charge_is_reached(api: httpx2.Client, receiver: Receiver) -> None:
    uuid = pay(api, amount=10)
    first = refund(api, uuid, 4).json()
    schema("Refund").validate(first)
    assert first["amount"] == 4
    assert code(refund(api, uuid, 6.01)) == (400, "rf000004")
    eventually(lambda: refunds(api, uuid)[0]["status"] == 3)
    assert (order(api, uuid)["status"], order(api, uuid)["refund"]) == ("processed", None)
    assert refund(api, uuid, 6).status_code == 201
    eventually(lambda: order(api, uuid)["status"] == "refunded")
    parts = [
        row for row in listed(api, "status[]=refunded") if (row["parent_order"] or {}).get("uuid") == uuid
    ]
    assert [row["refund"]["amount"] for row in parts] == [4, 6]
    for row in parts:
        schema("OrderView2019").validate(row)
    gross = [row["refund_gross_revenue"]["amount"] for row in parts]
    assert round(gross[0] / gross[1], 2) == round(4 / 6, 2)
    assert code(refund(api, uuid, 1)) == (400, "rf000003")
    eventually(lambda: ("payment.refund", uuid) in events(receiver))
    assert events(receiver).count(("payment.refund", uuid)) == 1


def events(receiver: Receiver) -> list[tuple[str, str]]:
    return [(post.document["event"], post.document["object"]["id"]) for post in list(receiver.received)]


def test_a_chargeback_takes_what_partial_refunds_have_left(api: httpx2.Client) -> None:
    uuid = pay(api, amount=10)
    refund(api, uuid, 4)
    eventually(lambda: refunds(api, uuid)[0]["status"] == 3)
    api.post(f"/sandbox/orders/{uuid}/chargeback")
    assert order(api, uuid)["status"] == "chargeback"
    assert [item["amount"] for item in refunds(api, uuid)] == [4, 6]


def test_a_refused_refund_stays_at_0_and_blocks(api: httpx2.Client) -> None:
    uuid = pay(api, amount=10)
    plan(api, "refused")
    assert code(refund(api, uuid, 10)) == (400, "rf000001")
    assert [item["status"] for item in refunds(api, uuid)] == [0]
    assert code(refund(api, uuid, 10)) == (400, "rf000004")


def test_a_declined_callback_is_taken_for_a_completed_one(api: httpx2.Client) -> None:
    uuid = pay(api, amount=10)
    plan(api, "declined")
    refund(api, uuid, 10)
    eventually(lambda: order(api, uuid)["status"] == "refunded")


def test_a_refund_of_a_foreign_order_has_a_code_of_its_own(sandbox: Sandbox, api: httpx2.Client) -> None:
    with client(sandbox, "sandbox-copper-owner-token") as foreigner:
        assert code(refund(foreigner, pay(api))) == (400, "rf000006")
    assert code(refund(api, "00000000-0000-4000-a000-000000000000")) == (404, "rf000005")


def test_notices_have_no_charge_and_nothing_of_later_years(api: httpx2.Client, receiver: Receiver) -> None:
    uuid = pay(api)
    eventually(lambda: ("payment.success", uuid) in events(receiver))
    post = next(post for post in receiver.received if post.document["object"]["id"] == uuid)
    notice = post.document["object"]
    schema("WebhookEnvelope").validate(post.document)
    later = {
        "charge_amount",
        "charge_currency",
        "is_production",
        "merchant_info",
        "testing_case",
        "recurring",
    }
    assert not later & set(notice)
    assert "type" not in notice["method"]
    assert "id" not in notice["user"]
    assert notice["type"] == "simple"


def test_the_webhook_test_and_the_s2s_list_do_not_exist_yet(api: httpx2.Client) -> None:
    assert api.post(f"/admin/api/v1/projects/{PROJECT.id}/webhook/testing", json={}).status_code == 404
    assert api.get("/merchant/s2s/api/v1/order", auth=(PROJECT.id, PROJECT.secret)).status_code == 404


def test_the_facts_name_the_generation(api: httpx2.Client) -> None:
    assert api.get("/sandbox/").json()["generation"] == 2019
