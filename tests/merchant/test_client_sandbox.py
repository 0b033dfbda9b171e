"""The client tells a sandbox from the real thing before it makes payments there."""

from uuid import UUID

import httpx2
import pytest

from merchant.paysuper.client import Patience, SandboxClient
from merchant.paysuper.errors import NoAnswer, Refused
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR
from tests.merchant.sandbox_client import OWNER, client, order


def answering(status: int, text: str) -> SandboxClient:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, text=text))
    return SandboxClient("https://paysuper.example", OWNER, patience=Patience(reads=1), transport=transport)


def test_the_sandbox_is_one(quiet_paysuper: Sandbox) -> None:
    with SandboxClient(quiet_paysuper.url, OWNER) as line:
        assert line.is_sandbox()


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_who_does_not_know_the_address_is_none(status: int) -> None:
    with answering(status, '{"message": "Not Found"}') as line:
        assert not line.is_sandbox()


def test_some_json_is_no_sandbox() -> None:
    with answering(200, '{"hello": "world"}') as line:
        assert not line.is_sandbox()


def test_a_web_page_leaves_it_open() -> None:
    with answering(200, "<h1>Welcome</h1>") as line, pytest.raises(NoAnswer):
        line.is_sandbox()


def test_a_payment_is_made(paysuper: Sandbox) -> None:
    wish = {"project_id": HARBOUR, "currency": "EUR", "amount": 12.5}
    with SandboxClient(paysuper.url, OWNER) as line:
        uuid = line.make_payment(wish)
    with client(paysuper) as api:
        assert order(api, str(uuid))["total_payment_amount"] == 12.5
    assert isinstance(uuid, UUID)


def test_a_payment_that_cannot_be_is_refused(paysuper: Sandbox) -> None:
    with SandboxClient(paysuper.url, OWNER) as line, pytest.raises(Refused):
        line.make_payment({"project_id": "unknown"})


def test_an_unreadable_answer_to_a_payment_is_no_answer() -> None:
    with answering(201, "{}") as line, pytest.raises(NoAnswer):
        line.make_payment({})
