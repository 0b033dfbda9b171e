"""The control page, its protection, and the dump for drift tests (docs/sandbox.md)."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import COPPER_ID, LANTERN_ID, MERCHANTS
from tests.merchant.sandbox_client import LIST, client, order, pay, refund
from tests.merchant.sandbox_receiver import Receiver, eventually

PAGE = "/sandbox/control/"
PROJECT = MERCHANTS[0].projects[0]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=250, seed=4, refund_delay=0.05) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready
        ready.delete("/sandbox/faults")
        ready.delete("/sandbox/webhooks/faults")
        ready.delete("/sandbox/tokens/expire")


def do(api: httpx2.Client, action: str, **form: str) -> None:
    answer = api.post(f"{PAGE}{action}", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?done=done")


def section(api: httpx2.Client, title: str, query: str = "") -> str:
    """The part of the page below a heading."""
    return api.get(PAGE + query).text.split(f"<h2>{title}</h2>")[1].split("</section>")[0]


def test_a_payment_appears_on_top_of_the_orders(api: httpx2.Client) -> None:
    do(
        api, "payments", project_id=PROJECT.id, kind="simple", currency="KRW", amount="4200",
        method="QIWI", outcome="rejected",
    )  # fmt: skip
    newest = section(api, "Orders").split("<tr>")[2]
    assert "4200 KRW" in newest
    assert "<td>rejected</td>" in newest
    assert "Charge back" not in newest


def test_a_chargeback_and_a_replaced_key_from_the_list_of_orders(api: httpx2.Client) -> None:
    uuid = pay(api, kind="key")
    newest = section(api, "Orders").split("<tr>")[2]
    assert f'action="{PAGE}orders/{uuid}/chargeback"' in newest
    codes = [item["code"] for item in order(api, uuid)["items"]]
    do(api, f"orders/{uuid}/key")
    assert [item["code"] for item in order(api, uuid)["items"]] != codes
    do(api, f"orders/{uuid}/chargeback")
    assert order(api, uuid)["status"] == "chargeback"


def test_an_older_order_is_found_by_its_uuid(api: httpx2.Client) -> None:
    oldest = api.get(LIST, params={"limit": 1}).json()["items"][0]["uuid"]
    assert oldest not in section(api, "Orders")
    assert oldest in section(api, "Orders", f"?order={oldest}")
    assert "Found: none." in section(api, "Orders", "?order=<nobody>")


def test_the_outcome_of_refunds_is_planned_and_shown(api: httpx2.Client) -> None:
    do(api, "refunds/outcome", outcome="declined", count="1")
    assert "<strong>declined</strong>, 1 times" in section(api, "Outcome of the next refunds")
    uuid = pay(api)
    refund(api, uuid)
    assert "<strong>completed</strong>, until changed" in section(api, "Outcome of the next refunds")
    assert uuid in section(api, "Ledger")


def test_faults_of_the_api_are_set_shown_met_and_cleared(api: httpx2.Client) -> None:
    do(api, "faults", kind="status", path="/order", status="429", retry_after="7", probability="1", count="")
    row = section(api, "Faults of the API").split("<tr>")[2]
    assert "<td>429</td>" in row
    assert "until cleared" in row
    answer = api.get(LIST)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    do(api, "faults/clear")
    assert api.get(LIST).status_code == 200
    assert "Set: none." in section(api, "Faults of the API")


def test_faults_of_webhooks_are_set_shown_and_cleared(api: httpx2.Client) -> None:
    do(api, "webhooks/faults", kind="wrong_signature", count="2")
    assert "<td>wrong_signature</td>" in section(api, "Faults of webhooks")
    assert api.get("/sandbox/webhooks/faults").json()["faults"][0]["count"] == 2
    do(api, "webhooks/faults/clear")
    assert "Set: none." in section(api, "Faults of webhooks")


def test_tokens_are_expired_and_restored(api: httpx2.Client) -> None:
    do(api, "tokens/expire")
    assert api.get(LIST).status_code == 401
    do(api, "tokens/expire/clear")
    assert api.get(LIST).status_code == 200


def test_the_secret_key_of_a_project_is_there_to_copy(api: httpx2.Client) -> None:
    assert f"<code>{PROJECT.secret}</code>" in section(api, "Projects")


def test_a_webhook_address_is_changed_and_its_deliveries_are_shown(api: httpx2.Client) -> None:
    with Receiver() as receiver:
        do(api, "webhooks/url", project_id=PROJECT.id, url=receiver.url)
        assert receiver.url in section(api, "Projects")
        uuid = pay(api)
        eventually(lambda: "<td>delivered</td>" in section(api, "Webhooks"))
        assert uuid in section(api, "Webhooks")
        answer = api.post(f"{PAGE}validations", data={"project_id": PROJECT.id})
        assert answer.headers["Location"] == f"{PAGE}?done=allowed"
        assert "lets this customer pay" in api.get(answer.headers["Location"]).text
    do(api, "webhooks/url", project_id=PROJECT.id)
    assert order(api, uuid)["project"]["url_process_payment"] == ""


@pytest.mark.parametrize(
    ("action", "form", "status"),
    [
        ("payments", {"amount": "much"}, 400),
        ("payments", {"currency": "XXX"}, 400),
        ("faults", {"kind": "<b>fire</b>"}, 400),
        ("webhooks/url", {"project_id": PROJECT.id, "url": "javascript:alert(1)"}, 400),
        ("orders/00000000-0000-4000-a000-000000000000/chargeback", {}, 404),
        ("nothing", {}, 404),
    ],
)
def test_a_form_that_cannot_be_used_says_why(
    api: httpx2.Client, action: str, form: dict[str, str], status: int
) -> None:
    answer = api.post(f"{PAGE}{action}", data=form)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert "<b>" not in answer.text


def test_a_page_behind_a_control_path_answers_for_itself(api: httpx2.Client) -> None:
    form = {"project": PROJECT.id, "kind": "simple", "currency": "EUR"}
    assert api.post(f"{PAGE}checkout/", data=form).headers["Location"].startswith("/sandbox/checkout/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
@pytest.mark.parametrize("path", ["payments", "control/payments", "checkout/", "tokens/expire", "faults"])
def test_a_post_from_another_site_is_refused(api: httpx2.Client, headers: dict[str, str], path: str) -> None:
    before = api.get("/sandbox/").json()["orders"]
    assert api.post(f"/sandbox/{path}", data={"kind": "simple"}, headers=headers).status_code == 403
    assert api.get("/sandbox/").json()["orders"] == before
    assert api.delete("/sandbox/faults", headers=headers).status_code == 403


def test_posts_of_the_own_pages_and_of_programs_are_accepted(sandbox: Sandbox, api: httpx2.Client) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": sandbox.url}):
        assert api.post("/sandbox/payments", json={}, headers=headers).status_code == 201


def test_the_dump_is_every_order_of_a_merchant_as_the_api_shows_it(api: httpx2.Client) -> None:
    with api.stream("GET", "/sandbox/dump", params={"merchant": LANTERN_ID}) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        dumped = [json.loads(line) for line in answer.iter_lines()]
    assert dumped == api.get(LIST, params={"limit": 1000}).json()["items"]
    copper = [json.loads(line) for line in api.get(f"/sandbox/dump?merchant={COPPER_ID}").text.splitlines()]
    assert {row["project"]["merchant_id"] for row in copper} == {COPPER_ID}
    assert len(dumped) + len(copper) == api.get("/sandbox/").json()["orders"]
    assert api.get("/sandbox/dump?merchant=1").status_code == 404
