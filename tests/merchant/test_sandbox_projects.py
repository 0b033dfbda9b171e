"""Changed projects, pre-approval, roles, the S2S list, staff (contract §5.9, §8, §9, §13)."""

from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import KEY_PRODUCTS, MERCHANTS
from merchant.paysuper.signature import is_valid
from tests.merchant.sandbox_client import LIST, client, code, order, pay, refund, refunds, schema
from tests.merchant.sandbox_receiver import Receiver, eventually

PROJECT, OTHER = MERCHANTS[0].projects
FOREIGN = MERCHANTS[1].projects[0]
PROJECTS = "/admin/api/v1/projects"
S2S = "/merchant/s2s/api/v1/order"
ROTATED = "a-new-secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with Sandbox(
        orders=30, seed=6, refund_delay=0.02, webhook_url=receiver.url, webhook_retry_interval=0.2
    ) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


def change(api: httpx2.Client, **members: object) -> httpx2.Response:
    return api.patch(f"{PROJECTS}/{PROJECT.id}", json=members)


def test_a_change_answers_the_bare_project_and_keeps_what_was_not_sent(api: httpx2.Client) -> None:
    before = api.get(f"{PROJECTS}/{PROJECT.id}").json()["item"]
    wanted = {
        "url_process_payment": "https://new.example.com/hooks/",
        "url_redirect_success": "https://new.example.com/yes",
        "url_redirect_fail": "https://new.example.com/no",
    }
    changed = change(api, **wanted, colour="red").json()
    schema("Project").validate(changed)
    assert changed == before | wanted
    assert api.get(f"{PROJECTS}/{PROJECT.id}").json()["item"] == changed
    shown = order(api, pay(api))["project"]
    assert (shown["url_process_payment"], shown["url_success"]) == tuple(wanted.values())[:2]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"url_process_payment": "javascript:alert(1)"}, (400, "ma000002")),
        ({"url_redirect_success": "https://a.example.com/\r\nX: 1"}, (400, "ma000002")),
        ({"secret_key": ""}, (400, "ma000002")),
        ({"secret_key": 5}, (400, "ma000023")),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    api: httpx2.Client, members: dict[str, object], expected: tuple[int, str]
) -> None:
    assert code(change(api, **members)) == expected


def test_who_may_change_a_project(sandbox: Sandbox, api: httpx2.Client) -> None:
    assert code(api.patch(f"{PROJECTS}/{FOREIGN.id}", json={})) == (404, "pr000002")
    statuses = {}
    for role in ("owner", "developer", "accounting", "support", "view-only"):
        with client(sandbox, f"sandbox-lantern-{role}-token") as user:
            statuses[role] = change(user).status_code
    assert statuses == {"owner": 200, "developer": 200, "accounting": 403, "support": 403, "view-only": 403}


def test_a_repetition_is_signed_with_the_secret_of_its_own_snapshot(
    api: httpx2.Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 200]
    first = pay(api)
    receiver.wait(1)
    change(api, secret_key=ROTATED)
    second = pay(api)
    posts = receiver.wait(3)[1:]
    signed = {
        post.document["object"]["id"]: [
            secret for secret in (PROJECT.secret, ROTATED) if is_valid(post.body, post.signature, secret)
        ]
        for post in posts
    }
    assert signed == {first: [PROJECT.secret], second: [ROTATED]}


def test_a_rotated_secret_survives_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    state = str(tmp_path_factory.mktemp("sandbox") / "journal")
    with Sandbox(orders=1, state=state) as sandbox, client(sandbox) as api:
        change(api, secret_key=ROTATED)
    with Sandbox(orders=1, state=state) as sandbox, client(sandbox) as api:
        assert api.get(f"{PROJECTS}/{PROJECT.id}").json()["item"]["secret_key"] == ROTATED


@pytest.mark.parametrize(("answer", "allowed"), [(200, True), (204, False), (403, False)])
def test_user_validate_is_asked_once_and_signed(
    api: httpx2.Client, receiver: Receiver, answer: int, allowed: bool
) -> None:
    receiver.answers = [answer]
    asked = {"project_id": PROJECT.id, "user": {"name": "Mara", "email": "mara@example.com"}}
    said = api.post("/sandbox/validations", json=asked).json()
    assert said == {"allowed": allowed, "status": answer}
    post = receiver.received[0]
    schema("UserValidateEnvelope").validate(post.document)
    assert is_valid(post.body, post.signature, PROJECT.secret)
    assert (post.document["object"]["object"], post.document["delivery_try"]) == ("user", 1)
    assert post.document["object"]["name"] == "Mara"
    assert len(receiver.received) == 1


def test_user_validate_without_an_answer_refuses(api: httpx2.Client) -> None:
    change(api, url_process_payment="http://127.0.0.1:9/")
    assert api.post("/sandbox/validations").json() == {"allowed": False, "status": 0}
    assert api.post("/sandbox/validations", json={"project_id": "1"}).status_code == 400


@pytest.mark.parametrize("staged", [True, False])
def test_a_late_acknowledgement_regresses_the_order_only_when_staged(
    api: httpx2.Client, receiver: Receiver, staged: bool
) -> None:
    if staged:
        assert api.post("/sandbox/webhooks/faults", json={"kind": "regress"}).status_code == 200
    receiver.answers = [500, 200]
    uuid = pay(api)
    receiver.wait(1)
    refund(api, uuid)
    eventually(lambda: order(api, uuid)["status"] == "refunded")
    receiver.wait(3)
    eventually(
        lambda: {row["state"] for row in api.get("/sandbox/webhooks").json()["webhooks"]} == {"delivered"}
    )
    after = order(api, uuid)
    assert (after["status"], after["refund"] is None) == (
        ("processed", True) if staged else ("refunded", False)
    )
    assert refunds(api, uuid)[0]["status"] == 3
    rows = api.get(LIST, params={"status[]": "refunded", "limit": 1000}).json()["items"]
    assert uuid in {row["parent_order"]["uuid"] for row in rows}


def test_roles_are_listed_for_owners_only(sandbox: Sandbox, api: httpx2.Client) -> None:
    roles = api.get("/admin/api/v1/merchants/roles").json()["items"]
    assert [role["name"] for role in roles] == ["Owner", "Developer", "Accounting", "Support", "View only"]
    assert {role["id"] for role in roles} >= {"merchant_owner", "merchant_view_only"}
    with client(sandbox, "sandbox-lantern-developer-token") as developer:
        assert developer.get("/admin/api/v1/merchants/roles").status_code == 403


def test_the_s2s_list_shows_all_projects_in_the_serialisation_of_webhooks(api: httpx2.Client) -> None:
    pay(api, project_id=OTHER.id)
    page = api.get(S2S, params={"limit": 1000}, auth=(PROJECT.id, PROJECT.secret)).json()
    schema("S2SOrderList").validate(page)
    views = api.get(LIST, params={"limit": 1000}).json()
    assert page["count"] == views["count"]
    assert [row["id"] for row in page["items"]] == [row["uuid"] for row in views["items"]]
    assert {(row["description"], row["charge_amount"], row["charge_currency"]) for row in page["items"]} == {
        ("", 0, "")
    }
    one = api.get(S2S, params={"project[]": OTHER.id}, auth=(PROJECT.id, PROJECT.secret)).json()
    assert 0 < one["count"] < page["count"]


def test_the_s2s_list_wants_the_secret_of_the_project(api: httpx2.Client) -> None:
    wrong = api.get(S2S, auth=(PROJECT.id, "wrong"))
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, "basic realm=Restricted")
    assert api.get(S2S).status_code == 401
    assert api.get(S2S, headers={"Authorization": "Basic %%%"}).status_code == 401
    assert api.get(S2S, auth=("0" * 24, "x")).json() == {"message": "Internal Server Error"}
    change(api, secret_key=ROTATED)
    assert api.get(S2S, auth=(PROJECT.id, PROJECT.secret)).status_code == 401
    assert api.get(S2S, auth=(PROJECT.id, ROTATED)).status_code == 200


def replace_code(
    sandbox: Sandbox, uuid: str, body: object, token: str = "sandbox-staff-token"
) -> httpx2.Response:
    with client(sandbox, token) as staff:
        return staff.put(f"/system/api/v1/order/{uuid}/replace_code", json=body)


def test_staff_replaces_the_code_of_one_key_product(
    sandbox: Sandbox, api: httpx2.Client, receiver: Receiver
) -> None:
    uuid = pay(api, kind="key")
    receiver.wait(1)
    item = order(api, uuid)["items"][0]
    answer = replace_code(sandbox, uuid, {"key_product_id": item["id"]})
    schema("Order").validate(answer.json())
    assert answer.json()["id"] == uuid
    now = order(api, uuid)["items"][0]
    assert now["code"] == answer.json()["items"][0]["code"] != item["code"]
    assert order(api, uuid)["status"] == "processed"
    assert code(refund(api, uuid)) == (400, "rf000002")


def test_a_key_of_a_product_that_was_not_bought_is_used_up_for_nothing(
    sandbox: Sandbox, api: httpx2.Client
) -> None:
    uuid = pay(api, kind="key")
    bought = order(api, uuid)["items"]
    ids = {item["id"] for item in bought}
    other = next(
        product.id
        for products in KEY_PRODUCTS.values()
        for product in products
        if bought[0]["platform_id"] in product.platforms and product.id not in ids
    )
    assert replace_code(sandbox, uuid, {"key_product_id": other}).status_code == 200
    assert order(api, uuid)["items"] == bought
    assert code(refund(api, uuid)) == (400, "rf000002")


def test_replace_code_is_refused_by_role_body_and_state(sandbox: Sandbox, api: httpx2.Client) -> None:
    key = KEY_PRODUCTS[PROJECT.id][0].id
    body = {"key_product_id": key}
    paid, simple = pay(api, kind="key"), pay(api)
    assert replace_code(sandbox, paid, body, "sandbox-lantern-owner-token").status_code == 403
    assert code(replace_code(sandbox, "123", body)) == (400, "ma000002")
    assert code(replace_code(sandbox, paid, {})) == (400, "ma000002")
    assert code(replace_code(sandbox, paid, {"key_product_id": 1})) == (400, "ma000023")
    unknown = "00000000-0000-4000-a000-000000000000"
    assert code(replace_code(sandbox, unknown, body)) == (400, "fm000021")
    assert code(replace_code(sandbox, pay(api, kind="key", outcome="pending"), body)) == (400, "kp000019")
    assert code(replace_code(sandbox, simple, body)) == (400, "ks000006")
    assert code(replace_code(sandbox, paid, {"key_product_id": "0" * 24})) == (400, "ks000006")
    platform = order(api, paid)["items"][0]["platform_id"]
    misfit = next(product for product in KEY_PRODUCTS[PROJECT.id] if platform not in product.platforms)
    assert code(replace_code(sandbox, paid, {"key_product_id": misfit.id})) == (400, "ks000006")


def test_staff_has_no_way_into_the_api_of_merchants(sandbox: Sandbox) -> None:
    with client(sandbox, "sandbox-staff-token") as staff:
        assert staff.get(LIST).status_code == 403
