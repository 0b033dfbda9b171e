"""Products, platforms, people and the webhook test over the line: three envelopes, one way to read them."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx2
import msgspec
import pytest

from merchant.paysuper.catalogue import PlatformRecord, ProductRecord
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotFound, Refused, Unexpected
from merchant.paysuper.people import MerchantRecord, UserRecord
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, LANTERN
from tests.merchant.examples import load
from tests.merchant.sandbox_client import OWNER, client as sandbox_client, pay, refund

SUPPORT = "sandbox-lantern-support-token"
VIEW_ONLY = "sandbox-lantern-view-only-token"
FOREIGN = "5f8a1d2b9b3d4e0001a7c9f0"
NOBODY = "0" * 24
_encode = msgspec.json.Encoder(decimal_format="number").encode


@pytest.fixture
def api(quiet_paysuper: Sandbox) -> Iterator[Client]:
    with Client(quiet_paysuper.url, OWNER) as client:
        yield client


def answering(answer: Any) -> Client:
    """A client whose PaySuper always says this, or what a function makes of the request."""

    asked = itertools.count()

    def handler(request: httpx2.Request) -> httpx2.Response:
        assert next(asked) < 100  # else it would go on for ever
        return httpx2.Response(200, content=_encode(answer(request) if callable(answer) else answer))

    return Client(
        "http://paysuper.test", "token", patience=Patience(reads=1), transport=httpx2.MockTransport(handler)
    )


def test_products_are_read_and_each_one_by_its_id(api: Client) -> None:
    products = list(api.products())
    assert len(products) == len({each.id for each in products}) > 5
    assert {each.project_id for each in products} > {HARBOUR}
    assert all(each.enabled and each.name and each.sku and not each.platforms for each in products)
    assert api.product(products[0].id) == products[0]


def test_key_products_are_read_with_their_platforms(api: Client) -> None:
    products = list(api.key_products())
    assert products
    assert all(product.platforms for product in products)
    assert api.key_product(products[0].id) == products[0]
    known = api.platforms()
    assert set(products[0].platforms) <= set(known)
    assert known == api.platforms() == sorted(known, key=lambda each: each.name)


def test_the_catalogue_of_the_contract_is_read_exactly() -> None:
    with answering(load("admin.key-products.list.json")) as client:
        assert list(client.key_products()) == [
            ProductRecord(
                id="5f9c01bb1c9d440000000201",
                project_id=HARBOUR,
                sku="lh-key-std",
                name="Lantern Harbour – Standard",
                enabled=True,
                platforms=(PlatformRecord("steam", "Steam"),),
            )
        ]
    with answering(load("admin.products.list.empty.json")) as client:
        assert list(client.products()) == []


@pytest.mark.parametrize(
    "wrap", [lambda one: one, lambda one: {"status": 200, "item": one}], ids=["bare", "wrapped"]
)
def test_one_object_is_read_bare_and_wrapped(wrap: Callable[[Any], Any]) -> None:
    product, key_product = load("admin.products.get.json")["item"], load("admin.key-products.get.json")
    project = load("admin.projects.get.json")["item"]
    with answering(lambda request: wrap(product if "/products" in request.url.path else project)) as client:
        assert client.product(product["id"]).id == product["id"]
        assert client.project(project["id"]).id == project["id"]
    with answering(wrap(key_product)) as client:
        assert client.key_product(key_product["id"]).id == key_product["id"]


@pytest.mark.parametrize("name", ["items", "products", "platforms"])
def test_a_list_is_read_under_any_of_its_names(name: str) -> None:
    entry = {"id": "steam", "name": "Steam"}
    with answering({"status": 200, "count": 0, name: [entry]}) as client:
        assert client.platforms() == [PlatformRecord("steam", "Steam")]
    with answering([entry]) as client:
        assert client.platforms() == [PlatformRecord("steam", "Steam")]
    with answering({name: None}) as client:
        assert client.platforms() == []


def test_a_server_that_ignores_offsets_does_not_keep_us_for_ever() -> None:
    product = load("admin.products.get.json")["item"]
    full = [product | {"id": f"{number:024x}"} for number in range(100)]
    with answering({"count": 100, "items": full}) as client:
        found = [each.id for each in itertools.islice(client.products(), 1000)]
        assert found == [each["id"] for each in full]


def test_pages_that_shift_bring_no_product_twice() -> None:
    product = load("admin.products.get.json")["item"]
    all_of_them = [product | {"id": f"{number:024x}"} for number in range(150)]

    def shifting(request: httpx2.Request) -> Any:
        offset = max(int(request.url.params["offset"]) - 3, 0)
        return {"items": all_of_them[offset : offset + 100]}

    with answering(shifting) as client:
        assert [each.id for each in client.products()] == [each["id"] for each in all_of_them]


@pytest.mark.parametrize("ask", ["products", "key_products", "projects", "platforms", "merchants"])
def test_an_entry_without_id_is_unexpected(ask: str) -> None:
    with answering({"items": [{"name": {}}]}) as client, pytest.raises(Unexpected):
        list(getattr(client, ask)())


def test_unknown_and_foreign_products_are_refused(api: Client, quiet_paysuper: Sandbox) -> None:
    with pytest.raises(NotFound) as missing:
        api.product(NOBODY)
    assert missing.value.code == "pd000002"
    with pytest.raises(Refused) as unknown:
        api.key_product(NOBODY)
    assert unknown.value.code == "kp000017"
    with (
        Client(quiet_paysuper.url, "sandbox-copper-owner-token") as stranger,
        pytest.raises(Refused) as foreign,
    ):
        stranger.product(next(api.products()).id)
    assert foreign.value.code == "pd000008"


def test_an_id_cannot_leave_its_path() -> None:
    paths = []

    def handler(request: httpx2.Request) -> Any:
        paths.append(request.url.raw_path)
        return {"id": "x"}

    with answering(handler) as client:
        client.product("../order?limit=1#")
    assert paths == [b"/admin/api/v1/products/..%2Forder%3Flimit%3D1%23"]


def test_a_token_tells_its_merchant_and_role(quiet_paysuper: Sandbox) -> None:
    for token, role in ((OWNER, "merchant_owner"), (VIEW_ONLY, "merchant_view_only")):
        with Client(quiet_paysuper.url, token) as client:
            assert client.merchants() == [MerchantRecord(LANTERN, "Lantern Works GmbH", role)]


def test_users_are_read_and_are_the_creators_of_refunds(paysuper: Sandbox) -> None:
    with Client(paysuper.url, OWNER) as api, sandbox_client(paysuper) as control:
        uuid = pay(control, amount=20)
        created = refund(control, uuid).json()
        creator = next(user for user in api.users() if user.user_id == created["creator_id"])
        assert creator == UserRecord(
            created["creator_id"], "Olga Owner", "owner@lantern.example.com", "merchant_owner"
        )
    with Client(paysuper.url, VIEW_ONLY) as viewer, pytest.raises(NotAllowed):
        viewer.users()


def test_one_refund_is_read_but_not_by_support(paysuper: Sandbox) -> None:
    with Client(paysuper.url, OWNER) as api, sandbox_client(paysuper) as control:
        uuid = pay(control, amount=20)
        created = refund(control, uuid).json()
        assert api.refund(uuid, created["id"]).id == created["id"]
        with pytest.raises(NotFound):
            api.refund(uuid, NOBODY)
    with Client(paysuper.url, SUPPORT) as support:
        assert [each.id for each in support.refunds(uuid)] == [created["id"]]
        with pytest.raises(NotAllowed):
            support.refund(uuid, created["id"])


def test_a_webhook_test_is_asked_for_once_and_belongs_to_no_order(paysuper: Sandbox) -> None:
    with Client(paysuper.url, OWNER, patience=Patience(reads=1)) as api, sandbox_client(paysuper) as control:
        uuid = api.test_webhook(HARBOUR)
        with pytest.raises(NotFound):
            api.order(uuid)
        for wrong in ({"kind": "gift"}, {"case": "perhaps"}):
            with pytest.raises(Refused):
                api.test_webhook(HARBOUR, **wrong)
        with pytest.raises(NotFound):
            api.test_webhook(FOREIGN)
        control.post("/sandbox/faults", json={"kind": "status", "status": 503, "path": "testing"})
        before = posts(control)
        with pytest.raises(NoAnswer):
            api.test_webhook(HARBOUR)
        assert posts(control) == before + 1


def posts(control: httpx2.Client) -> int:
    """How often a webhook test was asked for."""
    asked = control.get("/sandbox/requests", params={"path": "testing", "method": "POST"})
    return asked.json()["count"]


@pytest.mark.parametrize("answer", [{}, [], {"status": 200, "order_id": "soon"}])
def test_a_webhook_test_with_an_unreadable_answer_may_have_happened(answer: Any) -> None:
    with answering(answer) as client, pytest.raises(NoAnswer):
        client.test_webhook(HARBOUR)


def test_the_prefix_is_that_of_the_connection() -> None:
    paths = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        paths.append(request.url.path)
        return httpx2.Response(200, json={"id": "x", "items": []})

    transport = httpx2.MockTransport(handler)
    with Client("http://paysuper.test/base", "token", prefix="/api/v1", transport=transport) as client:
        client.platforms()
        client.refunds(order := uuid4())
        client.merchants()
    assert paths == [
        "/base/api/v1/platforms",
        f"/base/api/v1/order/{order}/refunds",
        "/base/auth/api/v1/user/merchants",
    ]
