"""The line to PaySuper: reads are patient, writes are sent once, and every fault has its name."""

import datetime as dt
from decimal import Decimal

import httpx2
import pytest

from merchant.paysuper.client import Client
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
from tests.merchant.lines import ALWAYS, NOWHERE, answering, processed


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
