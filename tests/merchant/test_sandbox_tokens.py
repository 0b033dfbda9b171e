"""Access tokens that expire, and the refresh grant (contract §2)."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import LIST, OWNER, client

REFRESH = "sandbox-lantern-owner-refresh-token"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(orders=5, token_life=0.3) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready
        ready.delete("/sandbox/tokens/expire")
        ready.delete("/sandbox/faults")


def issue(api: httpx2.Client, refresh_token: str = REFRESH, **more: str) -> httpx2.Response:
    grant = {"grant_type": "refresh_token", "refresh_token": refresh_token} | more
    return api.post("/sandbox/token", json=grant)


def status(api: httpx2.Client, token: str) -> int:
    return api.get(LIST, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_refresh_token_gives_an_access_token_of_the_same_user_that_ends(api: httpx2.Client) -> None:
    answer = issue(api).json()
    assert set(answer) == {"access_token", "expires_in", "refresh_token", "token_type"}
    assert (answer["refresh_token"], answer["token_type"]) == (REFRESH, "Bearer")
    token = answer["access_token"]
    mine = api.get("/auth/api/v1/user/merchants", headers={"Authorization": f"Bearer {token}"}).json()
    assert mine["merchants"][0]["role"] == "merchant_owner"
    assert issue(api).json()["access_token"] != token
    assert status(api, token) == 200
    time.sleep(0.35)
    assert status(api, token) == 401
    assert status(api, OWNER) == 200


def test_without_a_life_issued_tokens_say_that_they_last_for_years() -> None:
    with Sandbox(orders=0) as sandbox, client(sandbox) as api:
        assert issue(api).json()["expires_in"] == 315_360_000


def test_the_grant_may_come_as_a_form(api: httpx2.Client) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": REFRESH}
    assert api.post("/sandbox/token", data=form).json()["access_token"]


def test_other_grants_and_unknown_refresh_tokens_are_refused(api: httpx2.Client) -> None:
    refused = issue(api, "sandbox-nobody-refresh-token")
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    assert issue(api, OWNER).json() == {"error": "invalid_grant"}
    assert issue(api, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_one_access_token_or_all_are_expired_and_refreshing_goes_on(api: httpx2.Client) -> None:
    assert api.post("/sandbox/tokens/expire", json={"token": OWNER}).json() == {"expired": 1}
    assert status(api, OWNER) == 401
    assert status(api, "sandbox-lantern-support-token") == 200
    assert api.post("/sandbox/tokens/expire").json()["expired"] >= 6
    assert status(api, "sandbox-lantern-support-token") == 401
    assert status(api, issue(api).json()["access_token"]) == 200
    assert api.delete("/sandbox/tokens/expire").status_code == 200
    assert status(api, OWNER) == 200


def test_the_fault_expired_token_is_a_401_without_code_until_used_up(api: httpx2.Client) -> None:
    api.post("/sandbox/faults", json={"kind": "expired_token", "count": 2})
    answers = [api.get(LIST) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert list(answers[0].json()) == ["message"]
    api.post("/sandbox/faults", json={"kind": "expired_token"})
    assert {api.get(LIST).status_code for _ in range(4)} == {401}


def test_the_facts_name_a_refresh_token_for_each_token(api: httpx2.Client) -> None:
    facts = api.get("/sandbox/").json()
    users = {user["user_id"] for user in facts["tokens"].values()}
    assert set(facts["refresh_tokens"].values()) == users
    assert all(issue(api, token).status_code == 200 for token in facts["refresh_tokens"])
