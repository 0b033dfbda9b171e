"""Both generations' dates (contract §5.2, §18): a setting, and one automatic switch."""

import datetime as dt
from typing import Any

import httpx2
import pytest

from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import NotAllowed, Refused
from merchant.paysuper.sandbox import Sandbox
from tests.merchant.sandbox_client import OWNER

SINCE = dt.datetime(2021, 2, 17, 14, 41, 3, 700_000, dt.timezone(dt.timedelta(hours=1)))
UNTIL = dt.datetime(2021, 2, 18, 13, 41, 3, 1, dt.UTC)
TEXT = ("2021-02-17T13:41:03", "2021-02-18T13:41:04")
SECONDS = ("1613569263", "1613655664")


class Server:
    """A PaySuper that understands one form of dates, or neither; and what it was asked."""

    def __init__(
        self, understands: tuple[str, str] | None, code: str = "ma000111", status: int = 400
    ) -> None:
        self.understands, self.code, self.status = understands, code, status
        self.asked: list[tuple[str, str]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        dates = request.url.params["project_date_from"], request.url.params["project_date_to"]
        self.asked.append(dates)
        if dates == self.understands:
            return httpx2.Response(200, json={"count": 0, "items": None})
        return httpx2.Response(self.status, json={"code": self.code, "message": ""})

    def client(self, **options: Any) -> Client:
        transport = httpx2.MockTransport(self)
        return Client(
            "http://paysuper.test", "token", patience=Patience(pause=0), transport=transport, **options
        )


@pytest.mark.parametrize(("generation", "form"), [("2021", TEXT), ("2019", SECONDS)])
def test_each_generation_has_its_form_and_the_end_is_rounded_up(
    generation: str, form: tuple[str, str]
) -> None:
    server = Server(understands=form)
    with server.client(generation=generation) as client:
        client.orders(SINCE, UNTIL)
    assert server.asked == [form]


@pytest.mark.parametrize(
    ("generation", "code", "wrong", "right"),
    [("2021", "ma000023", TEXT, SECONDS), ("2019", "ma000111", SECONDS, TEXT)],
)
def test_the_other_form_is_tried_once_and_remembered(
    generation: str, code: str, wrong: tuple[str, str], right: tuple[str, str]
) -> None:
    server = Server(understands=right, code=code)
    with server.client(generation=generation) as client:
        client.orders(SINCE, UNTIL)
        client.orders(SINCE, UNTIL)
    assert server.asked == [wrong, right, right]


def test_when_neither_form_is_understood_the_refusal_stands_and_nothing_is_remembered() -> None:
    server = Server(understands=None)
    with server.client() as client:
        for _ in range(2):
            with pytest.raises(Refused):
                client.orders(SINCE, UNTIL)
    assert server.asked == [TEXT, SECONDS, TEXT, SECONDS]


@pytest.mark.parametrize(
    ("status", "code", "leaf"), [(400, "ma000002", Refused), (403, "ma000111", NotAllowed)]
)
def test_no_other_refusal_switches_the_form(status: int, code: str, leaf: type[Exception]) -> None:
    server = Server(understands=SECONDS, code=code, status=status)
    with server.client() as client, pytest.raises(leaf):
        client.orders(SINCE, UNTIL)
    assert server.asked == [TEXT]


def test_a_wrong_setting_heals_itself_at_a_real_server(quiet_paysuper: Sandbox) -> None:
    everything = (dt.datetime(2010, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    with (
        Client(quiet_paysuper.url, OWNER) as right,
        Client(quiet_paysuper.url, OWNER, generation="2019") as wrong,
    ):
        assert wrong.orders(*everything).orders == right.orders(*everything).orders != []
