"""Projects, products, users and roles of the sandbox (contract §4, §9, §12)."""

from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import MERCHANTS
from tests.merchant.sandbox_client import client, code, schema

API = "/admin/api/v1"
LANTERN, COPPER = MERCHANTS


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=0, webhook_url="https://shop.example.com/hooks/{project_id}/") as running:
        yield running


@pytest.fixture(scope="module")
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


def test_projects_are_a_list_and_one_project_is_wrapped(api: httpx2.Client) -> None:
    projects = api.get(f"{API}/projects").json()
    schema("ProjectList").validate(projects)
    assert [item["name"]["en"] for item in projects["items"]] == ["Lantern Harbour", "Snow Defender"]
    first = projects["items"][0]
    assert first["url_process_payment"] == f"https://shop.example.com/hooks/{first['id']}/"
    assert first["secret_key"] == LANTERN.projects[0].secret
    one = api.get(f"{API}/projects/{first['id']}").json()
    schema("ProjectEnvelope").validate(one)
    assert one == {"status": 200, "item": first}


def test_projects_page_and_search(api: httpx2.Client) -> None:
    page = api.get(f"{API}/projects?limit=1&offset=1").json()
    assert (page["count"], len(page["items"])) == (2, 1)
    assert api.get(f"{API}/projects?quick_search=SNOW").json()["count"] == 1
    assert api.get(f"{API}/projects?status[]=4").json() == {"count": 0, "items": None}


def test_unknown_and_foreign_projects_are_404(api: httpx2.Client) -> None:
    assert code(api.get(f"{API}/projects/1")) == (400, "ma000002")
    assert code(api.get(f"{API}/projects/{'0' * 24}")) == (404, "pr000002")
    assert code(api.get(f"{API}/projects/{COPPER.projects[0].id}")) == (404, "pr000002")


def test_products_need_a_limit_and_one_product_is_wrapped(sandbox: Sandbox, api: httpx2.Client) -> None:
    assert code(api.get(f"{API}/products")) == (400, "ma000002")
    products = api.get(f"{API}/products?limit=5&offset=1").json()
    schema("ProductList").validate(products)
    assert (products["limit"], products["offset"], products["count"], len(products["items"])) == (5, 1, 12, 5)
    one = api.get(f"{API}/products/{products['items'][0]['id']}")
    schema("ProductEnvelope").validate(one.json())
    with client(sandbox, "sandbox-copper-owner-token") as foreigner:
        assert code(foreigner.get(one.request.url.path)) == (400, "pd000008")
    assert code(api.get(f"{API}/products/{'0' * 24}")) == (404, "pd000002")


def test_key_products_are_called_products_and_one_is_bare(api: httpx2.Client) -> None:
    listed = api.get(f"{API}/key-products").json()
    schema("KeyProductList").validate(listed)
    one = api.get(f"{API}/key-products/{listed['products'][0]['id']}").json()
    schema("KeyProduct").validate(one)
    assert one == listed["products"][0]
    assert code(api.get(f"{API}/key-products/{'0' * 24}")) == (400, "kp000017")


def test_platforms_have_no_counts(api: httpx2.Client) -> None:
    answer = api.get(f"{API}/platforms").json()
    assert (answer["status"], answer["count"], answer["limit"]) == (200, 0, 0)
    assert {platform["id"] for platform in answer["platforms"]} >= {"steam", "gog"}


def test_a_token_learns_its_merchant_and_role(sandbox: Sandbox) -> None:
    for token, role in (("view-only", "view_only"), ("accounting", "accounting")):
        with client(sandbox, f"sandbox-lantern-{token}-token") as user:
            answer = user.get("/auth/api/v1/user/merchants").json()
        mine = {"id": LANTERN.id, "name": LANTERN.name, "role": f"merchant_{role}"}
        assert answer == {"status": 200, "merchants": [mine]}


def test_the_users_of_the_own_merchant_are_a_bare_array_but_not_for_view_only(
    sandbox: Sandbox, api: httpx2.Client
) -> None:
    users = api.get(f"{API}/merchants/users").json()
    assert len(users) == 5
    assert {user["merchant_id"] for user in users} == {LANTERN.id}
    with client(sandbox, "sandbox-lantern-view-only-token") as viewer:
        assert viewer.get(f"{API}/merchants/users").status_code == 403
        assert viewer.post(f"{API}/projects/x/webhook/testing", json={}).status_code == 403
        assert viewer.get(f"{API}/projects").status_code == 200
