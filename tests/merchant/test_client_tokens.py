"""Tokens end and are renewed: before a call, and once after a 401. Nobody ever sees or loses one."""

import datetime as dt
import threading
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import uuid4

import httpx2
import pytest

from merchant.paysuper.client import AccessToken, Client, Patience, renewed
from merchant.paysuper.errors import (
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSent,
    PaySuperError,
    Refused,
    Unexpected,
)
from tests.merchant.examples import FOLDER
from tests.merchant.token_server import TokenServer, token_server

NOWHERE = uuid4()
SECRET = "a-secret-of-the-test"
REFUND = (FOLDER / "admin.refund.completed.json").read_bytes()


def token(value: str, seconds: float | None = None) -> AccessToken:
    end = None if seconds is None else dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
    return AccessToken(value, end)


class Desk:
    """A PaySuper that knows some tokens, an identity provider, and what both were asked."""

    def __init__(self, *good: str, gives: AccessToken | PaySuperError | None = None) -> None:
        self.good, self.gives = good, gives
        self.sent: list[str] = []
        self.renewals = 0
        self.refusal = httpx2.Response(401, json={"message": "expired"})

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request.headers["Authorization"].removeprefix("Bearer "))
        if self.sent[-1] not in self.good:
            return self.refusal
        return (
            httpx2.Response(201, content=REFUND)
            if request.method == "POST"
            else httpx2.Response(200, json={})
        )

    def refresh(self) -> AccessToken:
        self.renewals += 1
        if isinstance(self.gives, AccessToken):
            return self.gives
        raise self.gives or NotSent("the identity provider is down")

    def client(self, known: AccessToken | str, *, renewing: bool = True) -> Client:
        return Client(
            "http://paysuper.test",
            known,
            refresh=self.refresh if renewing else None,
            patience=Patience(reads=2, pause=0),
            transport=httpx2.MockTransport(self),
        )


def read(client: Client) -> object:
    return client.refunds(NOWHERE)


def write(client: Client) -> object:
    return client.create_refund(NOWHERE, Decimal(1), "")


both = pytest.mark.parametrize("ask", [read, write])
Ask = Callable[[Client], object]


@both
@pytest.mark.parametrize("seconds", [-1, 0, 59])
def test_a_token_that_ends_is_renewed_before_the_call(ask: Ask, seconds: float) -> None:
    desk = Desk("new", gives=token("new", 3600))
    with desk.client(token("old", seconds)) as client:
        ask(client)
        ask(client)
    assert (desk.sent, desk.renewals) == (["new", "new"], 1)


@pytest.mark.parametrize("seconds", [62, None])
def test_a_token_that_lasts_is_not_renewed(seconds: float | None) -> None:
    desk = Desk("old", gives=token("new"))
    with desk.client(token("old", seconds)) as client:
        read(client)
    assert (desk.sent, desk.renewals) == (["old"], 0)


@both
def test_a_401_renews_once_and_repeats(ask: Ask) -> None:
    desk = Desk("new", gives=token("new", 3600))
    with desk.client(token("old", 3600)) as client:
        ask(client)
        ask(client)
    assert (desk.sent, desk.renewals) == (["old", "new", "new"], 1)


@both
def test_a_second_401_is_told_and_not_repeated(ask: Ask) -> None:
    desk = Desk(gives=token("new", 3600))
    with desk.client("old-token") as client, pytest.raises(NotAllowed) as caught:
        ask(client)
    assert (desk.sent, desk.renewals, caught.value.status) == (["old-token", "new"], 1, 401)


@both
def test_a_403_is_no_matter_of_the_token(ask: Ask) -> None:
    desk = Desk(gives=token("new"))
    desk.refusal = httpx2.Response(403, json={"message": "Forbidden"})
    with desk.client("old-token") as client, pytest.raises(NotAllowed):
        ask(client)
    assert (len(desk.sent), desk.renewals) == (1, 0)


@both
def test_without_a_hook_a_401_is_told_at_once(ask: Ask) -> None:
    desk = Desk()
    with desk.client(token("old", -5), renewing=False) as client, pytest.raises(NotAllowed):
        ask(client)
    assert desk.sent == ["old"]


def test_a_write_is_not_repeated_after_a_401_that_may_be_a_proxys() -> None:
    desk = Desk("new", gives=token("new"))
    desk.refusal = httpx2.Response(401, content=b"<html>Sign in")
    with desk.client("old-token") as client, pytest.raises(NotAllowed):
        write(client)
    assert desk.sent == ["old-token"]
    desk.refusal = httpx2.Response(401, content=b"")
    with desk.client("old-token") as client:
        write(client)
    assert desk.sent == ["old-token", "old-token", "new"]


def test_a_hook_that_knows_no_other_token_repeats_nothing() -> None:
    desk = Desk(gives=token("old-token"))
    with desk.client("old-token") as client, pytest.raises(NotAllowed):
        read(client)
    assert desk.sent == ["old-token"]


@both
@pytest.mark.parametrize(
    ("trouble", "leaf"),
    [
        (NotSent("down"), NotSent),
        (NoAnswer("lost"), NotSent),
        (Unexpected("odd"), NotSent),
        (Refused("no", status=400, code="invalid_grant"), NotAllowed),
        (NotFound("gone", status=404), NotAllowed),
        (NotAllowed("no", status=401), NotAllowed),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.__name__,
)
def test_an_ended_token_that_cannot_be_renewed_means_that_nothing_was_sent(
    ask: Ask, trouble: PaySuperError, leaf: type[PaySuperError]
) -> None:
    desk = Desk("old", gives=trouble)
    with desk.client(token("old", -5)) as client, pytest.raises(leaf) as caught:
        ask(client)
    assert desk.sent == []
    assert caught.value.code == trouble.code


@both
def test_a_token_that_still_holds_is_used_when_it_cannot_be_renewed_yet(ask: Ask) -> None:
    desk = Desk("old", gives=NotSent("down"))
    with desk.client(token("old", 30)) as client:
        ask(client)
    assert desk.sent == ["old"]


@both
@pytest.mark.parametrize("trouble", [NotSent("down"), NoAnswer("lost"), Refused("no")], ids=["1", "2", "3"])
def test_a_401_whose_renewal_fails_is_not_allowed(ask: Ask, trouble: PaySuperError) -> None:
    desk = Desk(gives=trouble)
    with desk.client("old-token") as client, pytest.raises(NotAllowed) as caught:
        ask(client)
    assert (len(desk.sent), caught.value.status) == (1, 401)


def test_threads_that_share_a_client_renew_once() -> None:
    desk = Desk("new", gives=token("new", 3600))
    slow = threading.Event()

    def refresh() -> AccessToken:
        slow.wait(0.2)
        return desk.refresh()

    client = Client(
        "http://paysuper.test", token("old", -1), refresh=refresh, transport=httpx2.MockTransport(desk)
    )
    with client:
        threads = [threading.Thread(target=read, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (desk.sent, desk.renewals) == (["new"] * 8, 1)


@pytest.fixture
def provider() -> Iterator[TokenServer]:
    with token_server(access_token="access-2", expires_in=3600, refresh_token="refresh-2") as server:
        yield server


def test_a_renewal_is_the_grant_of_the_standard(provider: TokenServer) -> None:
    before = dt.datetime.now(dt.UTC)
    grant = renewed(provider.url, "refresh 1&x=ü")
    assert provider.bodies == ["grant_type=refresh_token&refresh_token=refresh+1%26x%3D%C3%BC"]
    assert provider.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in provider.headers[0]
    assert (grant.access.value, grant.refresh_token) == ("access-2", "refresh-2")
    end = grant.access.expires_at
    assert end is not None
    assert before <= end - dt.timedelta(hours=1) <= dt.datetime.now(dt.UTC)


def test_credentials_in_the_address_are_sent_as_basic(provider: TokenServer) -> None:
    renewed(provider.url.replace("://", "://shop:s3cret@"), "refresh-1")
    assert provider.headers[0]["Authorization"] == "Basic c2hvcDpzM2NyZXQ="


def test_a_refresh_token_that_is_not_replaced_stays_good(provider: TokenServer) -> None:
    del provider.answer["refresh_token"]
    assert renewed(provider.url, "refresh-1").refresh_token == "refresh-1"


@pytest.mark.parametrize("life", [None, "soon", 0, -5, 10**10, 10**12, "9" * 30, [], 1.5, True])
def test_a_life_that_makes_no_sense_is_unknown(provider: TokenServer, life: object) -> None:
    provider.answer["expires_in"] = life
    assert renewed(provider.url, "refresh-1").access.expires_at is None


def test_a_life_may_be_written_as_text(provider: TokenServer) -> None:
    provider.answer["expires_in"] = "60"
    assert renewed(provider.url, "refresh-1").access.expires_at is not None


@pytest.mark.parametrize(
    ("status", "answer", "leaf"),
    [
        (400, {"error": "invalid_grant"}, Refused),
        (401, {"error": "invalid_client"}, NotAllowed),
        (503, {}, NoAnswer),
        (200, {}, Unexpected),
        (200, {"access_token": None}, Unexpected),
        (200, {"access_token": "two\nlines"}, NotAllowed),
        (302, {}, Unexpected),
    ],
)
def test_a_renewal_that_fails_is_named(
    provider: TokenServer, status: int, answer: dict[str, object], leaf: type[PaySuperError]
) -> None:
    provider.status, provider.answer = status, answer
    with pytest.raises(leaf) as caught:
        renewed(provider.url, SECRET)
    assert caught.value.code == answer.get("error", "")
    assert len(provider.bodies) == 1
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_no_token_is_shown(provider: TokenServer) -> None:
    grant = renewed(provider.url, "refresh-1")
    assert "access-2" not in repr(grant)
    assert "refresh-2" not in repr(grant)
    assert "secret" not in repr(AccessToken("secret"))
