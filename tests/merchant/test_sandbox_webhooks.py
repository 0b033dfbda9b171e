"""Webhooks of the sandbox: body, signature, repetitions, suppression, staged trouble (contract §13)."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import MERCHANTS, PROJECTS
from merchant.paysuper.signature import is_valid
from tests.merchant.sandbox_client import client, code, order, pay, refund, schema
from tests.merchant.sandbox_receiver import Received, Receiver, eventually

PROJECT, OTHER = MERCHANTS[0].projects
RETRY = 0.05


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with Sandbox(
        orders=0, refund_delay=0.05, webhook_url=receiver.url, webhook_retry_interval=RETRY
    ) as running:
        yield running


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx2.Client]:
    with client(sandbox) as ready:
        yield ready


def log(api: httpx2.Client) -> list[dict[str, object]]:
    return api.get("/sandbox/webhooks").json()["webhooks"]


def events(received: list[Received]) -> list[tuple[str, str]]:
    return [(post.document["event"], post.document["object"]["status"]) for post in received]


def is_signed(post: Received) -> bool:
    return is_valid(post.body, post.signature, PROJECTS[post.path.rpartition("/")[2]].secret)


@pytest.mark.parametrize("kind", ["simple", "product", "key", "virtual_currency"])
def test_a_payment_sends_a_signed_notice_in_the_webhook_serialisation(
    api: httpx2.Client, receiver: Receiver, kind: str
) -> None:
    uuid = pay(api, kind=kind, user={"name": "<b> & Söhne", "email": "a@example.com"})
    post = receiver.wait(1)[0]
    schema("WebhookEnvelope").validate(post.document)
    assert is_signed(post)
    assert not is_valid(post.body, post.signature, OTHER.secret)
    assert post.path == f"/hooks/{PROJECT.id}"
    assert post.document["event"] == "payment.success"
    notice = post.document["object"]
    assert (notice["id"], notice["status"], notice["type"]) == (uuid, "processed", kind)
    assert b"\\u003cb\\u003e \\u0026 S" in post.body
    assert not post.body.endswith(b"\n")


def test_the_notice_agrees_with_the_order(api: httpx2.Client, receiver: Receiver) -> None:
    uuid = pay(api, amount=11.89, currency="GBP")
    notice, view = receiver.wait(1)[0].document["object"], order(api, uuid)
    assert notice["amount"] == view["total_payment_amount"] == 11.89
    assert notice["charge_amount"] == view["order_charge"]["amount"]
    assert notice["charge_currency"] == view["order_charge"]["currency"]
    assert notice["method"] == view["payment_method"]
    assert notice["user"] == view["user"]
    assert notice["transaction"] == view["transaction"]


def test_every_outcome_has_its_event_and_pending_has_none(api: httpx2.Client, receiver: Receiver) -> None:
    for outcome in ("pending", "created", "rejected", "canceled"):
        pay(api, outcome=outcome)
    received = receiver.wait(2)
    assert sorted(events(received)) == [("payment.cancel", "canceled"), ("payment.cancel", "rejected")]
    for post in received:
        assert post.document["object"]["canceled"] is False
        assert post.document["object"]["cancellation"]["code"]


def test_a_refund_and_a_chargeback_tell_about_the_original(api: httpx2.Client, receiver: Receiver) -> None:
    refunded, charged = pay(api), pay(api)
    refund(api, refunded)
    api.post(f"/sandbox/orders/{charged}/chargeback")
    later = {post.document["event"]: post.document["object"] for post in receiver.wait(4)}
    assert later["payment.refund"]["id"] == refunded
    assert later["payment.refund"]["refund"]["reason"] == "Customer's request"
    assert later["payment.refund"]["refunded"] is True
    assert (later["payment.chargeback"]["id"], later["payment.chargeback"]["status"]) == (
        charged,
        "chargeback",
    )


def test_a_declined_refund_sends_nothing(api: httpx2.Client, receiver: Receiver) -> None:
    api.post("/sandbox/refunds/outcome", json={"outcome": "declined", "count": 1})
    uuid = pay(api)
    refund(api, uuid)
    time.sleep(0.2)
    assert events(receiver.received) == [("payment.success", "processed")]


@pytest.mark.parametrize("answer", [201, 202, 302, 400, 422, 500])
def test_anything_but_200_and_204_is_tried_again_with_the_same_id(
    api: httpx2.Client, receiver: Receiver, answer: int
) -> None:
    receiver.answers = [answer, answer, 204]
    pay(api)
    posts = receiver.wait(3)
    assert [post.document["delivery_try"] for post in posts] == [0, 1, 2]
    assert len({post.document["id"] for post in posts}) == 1
    assert all(is_signed(post) for post in posts)
    assert posts[1].at - posts[0].at >= RETRY
    eventually(lambda: log(api)[0]["state"] == "delivered")
    time.sleep(RETRY * 2)
    assert len(receiver.received) == 3
    assert (log(api)[0]["tries"], log(api)[0]["last_status"]) == (3, 204)


def test_a_repetition_carries_the_order_of_the_moment_of_the_event(
    api: httpx2.Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 200]
    uuid = pay(api)
    receiver.wait(1)
    refund(api, uuid)
    found = receiver.wait(3)
    assert ("payment.success", "processed") in events(found[1:])
    assert ("payment.refund", "refunded") in events(found[1:])


def test_a_422_to_the_end_turns_the_paid_order_into_a_rejected_one(
    api: httpx2.Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchant.paysuper.sandbox.delivery.LAST_TRY", 1)
    receiver.answers = [422]
    uuid = pay(api)
    receiver.wait(2)
    eventually(lambda: order(api, uuid)["status"] == "rejected")
    assert log(api)[0]["state"] == "given_up"


def test_a_dead_receiver_of_one_project_does_not_hold_up_another(
    api: httpx2.Client, receiver: Receiver
) -> None:
    with Receiver() as slow:
        slow.pause = 1.0
        api.post("/sandbox/webhooks/url", json={"project_id": OTHER.id, "url": slow.url})
        for _ in range(12):
            pay(api, project_id=OTHER.id)
        started = time.monotonic()
        pay(api)
        assert receiver.wait(1)[0].at - started < 0.5


def test_a_project_without_url_gets_nothing(api: httpx2.Client, receiver: Receiver) -> None:
    api.post("/sandbox/webhooks/url", json={"project_id": PROJECT.id, "url": ""})
    pay(api)
    assert log(api) == []
    assert api.get("/admin/api/v1/projects").json()["items"][0]["url_process_payment"] == ""


def test_the_notice_after_a_replaced_key_is_suppressed(api: httpx2.Client, receiver: Receiver) -> None:
    uuid = pay(api, kind="key")
    receiver.wait(1)
    eventually(lambda: log(api)[0]["state"] == "delivered")
    api.post(f"/sandbox/orders/{uuid}/key")
    assert [row["state"] for row in log(api)] == ["delivered", "suppressed"]
    assert len(receiver.received) == 1


def stage(api: httpx2.Client, **fault: object) -> None:
    assert api.post("/sandbox/webhooks/faults", json=fault).status_code == 200


def test_a_staged_duplicate_comes_twice_with_one_id(api: httpx2.Client, receiver: Receiver) -> None:
    stage(api, kind="duplicate")
    pay(api)
    posts = receiver.wait(2)
    assert posts[0].document["id"] == posts[1].document["id"]
    pay(api)
    assert len(receiver.wait(3)) == 3


def test_a_staged_wrong_signature_does_not_verify(api: httpx2.Client, receiver: Receiver) -> None:
    stage(api, kind="wrong_signature")
    receiver.answers = [401, 200]
    pay(api)
    assert [is_signed(post) for post in receiver.wait(2)] == [False, True]


def test_a_staged_drop_is_never_sent(api: httpx2.Client, receiver: Receiver) -> None:
    stage(api, kind="drop")
    dropped, sent = pay(api), pay(api)
    assert receiver.wait(1)[0].document["object"]["id"] == sent
    assert (log(api)[0]["order"], log(api)[0]["state"]) == (dropped, "dropped")


def test_a_staged_delay_comes_late(api: httpx2.Client, receiver: Receiver) -> None:
    stage(api, kind="delay", seconds=0.3)
    started = time.monotonic()
    pay(api)
    assert receiver.wait(1)[0].at - started >= 0.3


def test_a_staged_swap_lets_the_next_notice_overtake(api: httpx2.Client, receiver: Receiver) -> None:
    stage(api, kind="swap")
    uuid = pay(api)
    api.post(f"/sandbox/orders/{uuid}/chargeback")
    assert events(receiver.wait(2)) == [
        ("payment.chargeback", "chargeback"),
        ("payment.success", "processed"),
    ]


def test_the_webhook_test_sends_a_made_up_order_that_is_never_stored(
    api: httpx2.Client, receiver: Receiver
) -> None:
    path = "/admin/api/v1/projects/ignored/webhook/testing"
    body = {"project": PROJECT.id, "type": "simple", "testing_case": "correct_payment", "amount": 1}
    answer = api.post(path, json=body)
    assert answer.json()["status"] == 200
    post = receiver.wait(1)[0]
    notice = post.document["object"]
    schema("WebhookEnvelope").validate(post.document)
    assert is_signed(post)
    assert (notice["id"], notice["status"], notice["object"]) == (answer.json()["order_id"], "created", "")
    assert (notice["testing_case"], notice["refunded_at"]) == ("correct_payment", "1970-01-01T00:00:00Z")
    assert code(api.get(f"/admin/api/v1/order/{notice['id']}")) == (404, "fm000021")
    assert code(api.post(path, json=body | {"testing_case": ""})) == (400, "ma000023")
    assert code(api.post(path, json=body | {"type": "boat"})) == (400, "wh000001")
    api.post(path, json=body | {"testing_case": "invalid_signature"})
    assert not is_signed(receiver.wait(2)[1])


def test_payments_arrive_by_themselves_and_reach_processed(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchant.paysuper.sandbox.payments._STEP_SECONDS", 0.05)
    with Sandbox(orders=0, webhook_url=receiver.url, payments_per_minute=600) as busy, client(busy) as api:
        eventually(lambda: api.get("/sandbox/").json()["orders"] >= 2)
        assert events(receiver.wait(1))[0] == ("payment.success", "processed")
