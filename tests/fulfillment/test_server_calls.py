"""The merchant's own server is told of each paid order: signed, over a day, and only outwards."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from fulfillment import automatic, tasks, timeline
from fulfillment.automatic import calling, wire
from fulfillment.models import Action, FulfilmentRule, ServerCall, WebhookEvent
from merchant.models import AuditEvent, Merchant
from tests.conftest import HARBOUR, Person
from tests.fulfillment.certificates import certificate
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from tests.fulfillment.shop import Said, Shop
from transactions.models import Transaction

State = ServerCall.State


@pytest.fixture(autouse=True)
def servers_at_home(settings: Settings) -> None:
    """The tests' servers listen on this machine."""
    settings.ALLOW_PRIVATE_SERVERS = True


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        yield server


def set_rule(order: Transaction, url: str = "", **values: object) -> FulfilmentRule:
    """The project of this order fulfils without hands since yesterday."""
    defaults = {
        "merchant": order.merchant,
        "automatic_since": timezone.now() - dt.timedelta(days=1),
        "server_url": url,
        "server_secret": automatic.new_secret() if url else "",
    }
    rule, _ = FulfilmentRule.objects.update_or_create(project=order.project, defaults=defaults | values)
    return rule


def told(order: Transaction) -> ServerCall:
    """What happens when payment.success has arrived and the worker has heard every bell."""
    news(order)
    tasks.sweep_server_calls()
    for call in ServerCall.objects.all():
        tasks.call_server(call.pk)
    return ServerCall.objects.get(transaction=order)


def news(order: Transaction, event: str = "payment.success", event_id: str = "a") -> None:
    """A webhook of this order, processed by a worker."""
    now = timezone.now()
    row, _ = WebhookEvent.objects.update_or_create(
        project=order.project,
        event_id=event_id,
        object_hash="h",
        defaults={
            "merchant": order.merchant,
            "event": event,
            "order_uuid": order.pk,
            "body": "{}",
            "state": "received",
            "last_received_at": now,
            "try_at": now,
        },
    )
    tasks.process_webhook(row.pk)


def again(call: ServerCall, times: int = 1) -> ServerCall:
    """The next tries, as soon as their time has come."""
    for _ in range(times):
        ServerCall.objects.filter(pk=call.pk).update(try_at=timezone.now())
        tasks.call_server(call.pk)
    return fresh(call)


def test_a_paid_order_is_fulfilled_when_the_server_has_taken_it(order: Transaction, shop: Shop) -> None:
    rule = set_rule(order, shop.url)
    call = told(order)
    assert (call.state, call.tries, fresh(order).fulfilment) == ("taken", 1, "fulfilled")
    (heard,) = shop.heard
    assert heard.path == "/paid?key=a"
    assert heard.headers["content-type"] == "application/json"
    signed = f"{heard.id}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    key = base64.b64decode(rule.server_secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert heard.headers["webhook-signature"] == f"v1,{expected}"
    assert len(key) == 32
    body = json.loads(heard.body)
    assert (body["type"], body["order"]["id"]) == ("order.paid", str(order.pk))
    charge = body["order"]["charge"]
    assert (Decimal(charge["amount"]), charge["currency"]) == (order.charge_amount, order.charge_currency)
    action = Action.objects.get()
    assert (action.kind, action.requested_by, action.note) == ("fulfil", None, "Taken by your server.")
    events = AuditEvent.objects.filter(subject=str(order.pk)).order_by("pk").values_list("event", "user")
    assert list(events) == [("server_call.begun", None), ("server_call.taken", None), ("fulfil.done", None)]


def test_without_a_server_a_paid_order_counts_as_fulfilled_at_once(order: Transaction) -> None:
    set_rule(order)
    news(order)
    assert fresh(order).fulfilment == "fulfilled"
    assert (Action.objects.get().requested_by, ServerCall.objects.count()) == (None, 0)
    assert ("Fulfilled", "automatic") in [(event.title, event.who) for event in timeline.events(order)]


def test_nothing_happens_by_itself_unless_the_project_says_so(order: Transaction, shop: Shop) -> None:
    news(order)
    set_rule(order, shop.url, automatic_since=None)
    news(order)
    tasks.sweep_server_calls()
    assert (fresh(order).fulfilment, ServerCall.objects.count(), shop.heard) == ("unfulfilled", 0, [])


def test_what_was_paid_before_the_rule_is_left_to_hands(order: Transaction, shop: Shop) -> None:
    set_rule(order, shop.url, automatic_since=timezone.now() + dt.timedelta(seconds=1))
    news(order)
    tasks.sweep_server_calls()
    assert not ServerCall.objects.exists()


def test_a_webhook_is_not_believed(lantern: Merchant, desk: Desk, shop: Shop) -> None:
    rejected = mirrored_order(lantern, desk, project_id=HARBOUR, outcome="rejected")
    set_rule(rejected, shop.url)
    news(rejected)
    tasks.sweep_server_calls()
    assert (ServerCall.objects.count(), shop.heard) == (0, [])


def test_the_same_request_comes_again_until_the_server_takes_it(order: Transaction, shop: Shop) -> None:
    shop.answers = [Said(500, b"broken"), Said(503), Said(204, b"")]
    set_rule(order, shop.url)
    call = told(order)
    assert (call.state, call.outcome, fresh(order).fulfilment) == (
        "waiting",
        "The server answered 500.",
        "unfulfilled",
    )
    assert call.try_at > timezone.now()
    tasks.call_server(call.pk)
    assert len(shop.heard) == 1  # not before its time
    call = again(call, 2)
    assert (call.state, call.tries, call.outcome) == ("taken", 3, "")
    assert len(set(shop.ids)) == len({each.body for each in shop.heard}) == 1
    assert fresh(order).fulfilment == "fulfilled"
    assert [(each.number, each.status, each.answer) for each in call.history.all()] == [
        (3, 204, ""),
        (2, 503, "thanks"),
        (1, 500, "broken"),
    ]


def test_after_a_day_of_tries_the_call_is_given_up_and_listed(
    order: Transaction, shop: Shop, ann: Person
) -> None:
    shop.answers = [Said(500)]
    set_rule(order, shop.url)
    call = again(told(order), len(calling.PAUSES))
    assert (call.state, call.tries) == ("given_up", len(calling.PAUSES) + 1)
    assert 23 * 60 < sum(calling.PAUSES) < 25 * 60
    assert again(call).tries == call.tries
    assert fresh(order).fulfilment == "unfulfilled"
    page = ann.browser.get("/to-fulfil/").content.decode()
    assert "Server: given up" in page
    assert "after a day of tries" in ann.browser.get(f"/transactions/{order.pk}/").content.decode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(order: Transaction, shop: Shop, status: int) -> None:
    with Shop() as elsewhere:
        shop.answers = [Said(status, location=elsewhere.url)]
        set_rule(order, shop.url)
        call = told(order)
        assert elsewhere.heard == []
    assert (call.state, call.outcome) == ("waiting", f"The server answered {status}.")


def test_a_server_that_does_not_answer_is_not_waited_for(
    order: Transaction, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_TIMEOUT", 0.2)
    shop.answers = [Said(pause=1)]
    set_rule(order, shop.url)
    call = told(order)
    assert (call.state, call.outcome) == ("waiting", "The server did not answer in time.")
    assert call.history.get().milliseconds < 900


def test_an_answer_without_end_is_cut_and_its_status_counts(order: Transaction, shop: Shop) -> None:
    shop.answers = [Said(200, b"x" * 20_000_000)]
    set_rule(order, shop.url)
    call = told(order)
    assert call.state == "taken"
    assert len(call.history.get().answer) == wire.ANSWER_AT_MOST


def test_what_does_not_listen_or_breaks_off_is_tried_again(order: Transaction) -> None:
    with Shop() as gone:
        pass
    set_rule(order, gone.url)
    call = told(order)
    assert (call.state, call.outcome) == ("waiting", "The server could not be reached: Connection refused")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nothing_is_sent_into_a_private_network(
    order: Transaction, shop: Shop, settings: Settings, host: str
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    set_rule(order, f"https://{host}:{shop.port}/")
    call = told(order)
    assert (call.state, call.outcome) == ("waiting", "The name of the server leads into a private network.")
    assert shop.heard == []


def test_a_name_with_one_private_address_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, shop: Shop
) -> None:
    settings.ALLOW_PRIVATE_SERVERS = False
    found = [(2, 1, 6, "", (address, shop.port)) for address in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(wire.NoAnswer, match="private"):
        wire.post(f"https://shop.example:{shop.port}/", b"{}", {})
    assert shop.heard == []


def test_the_connection_goes_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, shop: Shop
) -> None:
    asked = []

    def resolve(host: str, *_: object, **__: object) -> list:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", shop.port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    assert wire.post(f"http://shop.example:{shop.port}/", b"{}", {"webhook-id": "a"}).is_taken
    assert shop.heard[0].headers["host"] == f"shop.example:{shop.port}"
    assert asked[0] == "shop.example"
    assert "shop.example" not in asked[1:]  # what is asked again is the address itself


def test_a_certificate_is_checked_against_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tls = certificate("shop.example", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    with Shop(tls=tls) as shop:
        found = [(2, 1, 6, "", ("127.0.0.1", shop.port))]
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
        assert wire.post(f"https://shop.example:{shop.port}/", b"{}", {}).is_taken
        with pytest.raises(wire.NoAnswer, match="certificate"):
            wire.post(f"https://other.example:{shop.port}/", b"{}", {})
        assert len(shop.heard) == 1
