"""A webhook is verified, stored, answered, and then only believed as far as the API says the same."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone

from fulfillment import inbox, tasks
from fulfillment.models import WebhookEvent
from merchant.models import Merchant, Project
from merchant.paysuper import signature
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE, KETTLE_SECRET, SNOW_SECRET, Person
from tests.fulfillment.desk import Desk, broker_down, fresh, sent
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction
from transactions.tasks import sync_merchant

State = WebhookEvent.State
EXAMPLES = sorted((Path(__file__).parents[1] / "paysuper" / "examples").glob("webhook.*.json"))
ADDRESS = f"/webhooks/paysuper/{HARBOUR}/"


def event(order: UUID | str, name: str = "payment.success", status: str = "processed", **more: Any) -> bytes:
    """A notification as PaySuper writes it, as far as we read it."""
    about = {"id": str(order), "object": "order", "status": status} | more.pop("object", {})
    return json.dumps(
        {"id": "a" * 64, "type": "notification", "event": name, "object": about} | more
    ).encode()


def deliver(
    body: bytes, address: str = ADDRESS, secret: str = HARBOUR_SECRET, header: str | None = None
) -> HttpResponse:
    """What PaySuper does. It knows nothing of sessions and CSRF tokens."""
    signed = signature.sign(body, secret) if header is None else header
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    return browser.post(address, body, content_type="application/json", headers={"Authorization": signed})


def stored(body: bytes) -> WebhookEvent:
    """Delivers, and gives the row."""
    assert deliver(body).status_code == 200
    return WebhookEvent.objects.latest("last_received_at")


def process(row: WebhookEvent) -> WebhookEvent:
    """One try of the worker."""
    tasks.process_webhook(row.pk)
    return fresh(row)


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which bells were rung."""
    rung: list[tuple[str, int]] = []
    for name in ("process_webhook", "settle_action"):
        monkeypatch.setattr(getattr(tasks, name), "delay", lambda pk, name=name: rung.append((name, pk)))
    later = lambda ids, **_: rung.append(("sync_merchant", *ids))  # noqa: E731
    monkeypatch.setattr(sync_merchant, "apply_async", later)
    return rung


@pytest.fixture
def inline() -> Iterator[None]:
    """Bells are answered at once, in this process."""
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = True
    yield
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = False


# Answers ------------------------------------------------------------------------------------------


def test_a_signed_event_is_stored_and_answered_before_anything_is_asked(
    harbour: Project, desk: Desk, order: Transaction
) -> None:
    asked = desk.api.get("/sandbox/requests").json()["count"]
    answer = deliver(event(order.pk))
    assert (answer.status_code, answer.content) == (200, b"")
    row = WebhookEvent.objects.get()
    assert (row.project, row.merchant) == (harbour, harbour.merchant)
    assert (row.event, row.order_uuid, row.order_status) == ("payment.success", order.pk, "processed")
    assert (row.state, row.deliveries, row.attempts) == (State.RECEIVED, 1, 0)
    assert desk.api.get("/sandbox/requests").json()["count"] == asked


def test_the_bell_is_rung_after_storing(
    harbour: Project, bells: list[tuple[str, int]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        row = stored(event(uuid4()))
        assert bells == []
    assert bells == [("process_webhook", row.pk)]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Signature ",
        "Signature " + "0" * 64,
        signature.sign(event("x"), SNOW_SECRET),
        signature.sign(event("x"), ""),
        signature.sign(event("x") + b" ", HARBOUR_SECRET),
        signature.sign(event("x"), HARBOUR_SECRET).removeprefix("Signature "),
        signature.sign(event("x"), HARBOUR_SECRET).upper(),
        signature.sign(event("x"), HARBOUR_SECRET).replace("Signature", "signature"),
        signature.sign(event("x"), HARBOUR_SECRET).replace(" ", "  "),
        signature.sign(event("x"), HARBOUR_SECRET) + "0",
        "Bearer " + signature.sign(event("x"), HARBOUR_SECRET),
        "Signature ünïcode",
    ],
)
def test_a_bad_or_missing_signature_is_401_and_stores_nothing(harbour: Project, header: str) -> None:
    assert deliver(event("x"), header=header).status_code == 401
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("project", ["0" * 24, "x", HARBOUR[:-1], KETTLE, "%00", "%C3%BC", "a'b"])
def test_an_unknown_project_is_turned_away(harbour: Project, project: str) -> None:
    answer = deliver(event("x"), address=f"/webhooks/paysuper/{project}/")
    assert answer.status_code in (401, 404)
    assert not WebhookEvent.objects.exists()


def test_a_well_formed_unknown_project_is_401(harbour: Project) -> None:
    assert deliver(event("x"), address=f"/webhooks/paysuper/{'0' * 24}/").status_code == 401


@pytest.mark.parametrize("secret", ["", "anything"])
def test_a_project_without_a_secret_takes_nothing(harbour: Project, secret: str) -> None:
    harbour.secret_key = ""
    harbour.save()
    assert deliver(event("x"), secret=secret).status_code == 401
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_only_post_is_taken(harbour: Project, method: str) -> None:
    assert getattr(Browser(), method)(ADDRESS).status_code == 405


@pytest.mark.parametrize("address", [ADDRESS.rstrip("/"), ADDRESS.upper().replace("/WEBHOOKS/PAYSUPER", "")])
def test_an_address_without_its_last_slash_or_in_capitals_is_no_redirect(
    harbour: Project, address: str
) -> None:
    path = address if address.startswith("/webhooks") else f"/webhooks/paysuper{address}"
    assert deliver(event("x"), address=path).status_code == 200
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"1", b"\xff", b'{"id":"\xff"}', b"[" * 5000, b'{"id":1}x', b"NaN"],
)
def test_an_unreadable_body_behind_a_good_signature_is_400(harbour: Project, body: bytes) -> None:
    assert deliver(body).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_a_body_of_a_megabyte_is_taken_and_a_larger_one_is_413(harbour: Project) -> None:
    limit = 1024 * 1024
    body = event("x", filling="")
    body = event("x", filling="y" * (limit - len(body)))
    assert len(body) == limit
    assert deliver(body).status_code == 200
    assert deliver(event("x", filling="y" * limit)).status_code == 413
    assert WebhookEvent.objects.count() == 1


def test_an_inbox_that_cannot_store_answers_503(harbour: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE fulfillment_webhookevent RENAME TO taken_away")
    assert deliver(event("x")).status_code == 503
    connection.needs_rollback = True


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_answers_503_and_the_next_try_is_taken(harbour: Project) -> None:
    there = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = 1
    try:
        assert deliver(event("x")).status_code == 503
    finally:
        connection.settings_dict["PORT"] = there
    assert deliver(event("x")).status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_a_dead_broker_changes_neither_answer_nor_store_and_the_sweeper_rings(
    harbour: Project, bells: list[tuple[str, int]], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    ring = tasks.process_webhook.delay
    del tasks.process_webhook.delay
    with broker_down(), django_capture_on_commit_callbacks(execute=True):
        row = stored(event(uuid4()))
    tasks.process_webhook.delay = ring
    assert inbox.due() == []
    WebhookEvent.objects.update(try_at=timezone.now())
    tasks.sweep_webhooks()
    assert bells == [("process_webhook", row.pk)]


# The signature is of the bytes --------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        rb'{"id":"a1","event":"payment.success","object":{"description":"T\u0026J\u00fc\u003cb\u003e"}}',
        b'{ "id" : "a1",\n\t"event":"payment.success", "object": {"amount": 11.90, "big": 1e2} }\n',
        '{"id":"a1","event":"payment.success","object":{"user":{"name":"Jürgen 👩‍👧"}}}'.encode(),
        b'{"id":"a1","id":"a2","event":"payment.success","object":null}',
    ],
)
def test_the_exact_bytes_are_verified_and_kept(harbour: Project, body: bytes) -> None:
    assert stored(body).body.encode() == body
    assert deliver(body + b"\n", header=signature.sign(body, HARBOUR_SECRET)).status_code == 401
    assert (
        deliver(
            json.dumps(json.loads(body)).encode(), header=signature.sign(body, HARBOUR_SECRET)
        ).status_code
        == 401
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name.removeprefix("webhook."))
def test_every_example_of_the_contract_is_accepted_with_its_secret(harbour: Project, path: Path) -> None:
    example = json.loads(path.read_text())
    body, header = example["raw_body"].encode(), example["headers"]["Authorization"]
    assert deliver(body, header=header).status_code == 401
    harbour.secret_key = example["secret"]
    harbour.save()
    assert deliver(body, header=header).status_code == 200
    row = WebhookEvent.objects.get()
    document = json.loads(body)
    assert (row.event_id, row.event) == (document["id"], document["event"])
    assert row.body == example["raw_body"]


def test_the_contract_has_examples() -> None:
    assert len(EXAMPLES) == 19


def test_bodies_are_not_readable_in_the_database(harbour: Project) -> None:
    stored(event("x", customer="mara.lindqvist@example.com"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM fulfillment_webhookevent")
        assert "mara" not in cursor.fetchone()[0]


# One row per event and object ---------------------------------------------------------------------


def test_the_same_event_with_the_same_object_is_one_row_that_counts(harbour: Project) -> None:
    order = uuid4()
    for number in range(3):
        assert (
            deliver(event(order, delivery_try=number, created_at=f"2021-02-18T08:12:4{number}Z")).status_code
            == 200
        )
    row = WebhookEvent.objects.get()
    assert row.deliveries == 3
    assert row.last_received_at > row.received_at


def test_another_object_under_the_same_id_is_a_row_of_its_own(harbour: Project, order: Transaction) -> None:
    rows = [
        stored(event(order.pk, "payment.cancel", status)) for status in ("rejected", "canceled", "rejected")
    ]
    assert rows[0] == rows[2] != rows[1]
    assert WebhookEvent.objects.count() == 2
    for row in rows[:2]:
        assert process(row).state == State.PROCESSED


def test_the_same_event_at_another_project_is_another_row(harbour: Project, copper: Merchant) -> None:
    body = event(uuid4())
    deliver(body)
    deliver(body, address=f"/webhooks/paysuper/{KETTLE}/", secret=KETTLE_SECRET)
    assert {row.merchant_id for row in WebhookEvent.objects.all()} == {harbour.merchant_id, copper.pk}


def test_a_redelivery_is_processed_again(harbour: Project, order: Transaction) -> None:
    row = process(stored(event(order.pk)))
    assert (row.state, row.attempts, row.processed_at is None) == (State.PROCESSED, 1, False)
    row = stored(event(order.pk))
    assert (row.state, row.deliveries) == (State.RECEIVED, 2)
    assert (process(row).state, fresh(row).attempts) == (State.PROCESSED, 2)


def test_what_is_processed_is_not_processed_again_by_a_late_bell(
    harbour: Project, desk: Desk, order: Transaction
) -> None:
    row = process(stored(event(order.pk)))
    asked = desk.api.get("/sandbox/requests").json()["count"]
    process(row)
    assert desk.api.get("/sandbox/requests").json()["count"] == asked
    assert fresh(row).attempts == 1


def test_a_delivery_while_the_same_event_is_processed_is_not_lost(
    harbour: Project, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh = sync.refresh

    def interrupted(*arguments: Any) -> Any:
        applied = refresh(*arguments)
        deliver(event(order.pk, delivery_try=1))
        return applied

    row = stored(event(order.pk))
    with monkeypatch.context() as patched:
        patched.setattr(sync, "refresh", interrupted)
        assert process(row).state == State.RECEIVED
    assert process(row).state == State.PROCESSED


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_at_once_are_one_row_and_all_are_answered(harbour: Project) -> None:
    body, start, answers = event(uuid4()), threading.Barrier(8), []

    def work() -> None:
        start.wait()
        answers.append(deliver(body).status_code)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 8
    assert WebhookEvent.objects.get().deliveries == 8


# What is kept and not processed -------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        event(uuid4(), "payment.invented"),
        event(uuid4(), "payment.canceled"),
        event(uuid4(), ""),
        event(uuid4(), "user.validate", object={"object": "user"}),
        event(uuid4(), object={"testing_case": "correct_payment", "status": "created"}),
        event("no uuid"),
        b"{}",
        b'{"id":5,"event":{},"object":[1]}',
        b'{"id":"x","event":"payment.success","object":"text"}',
        rb'{"id":"x\u0000y","event":"payment.success","object":{"id":"\u0000","status":"\u0000"}}',
        event(uuid4(), "e" * 1000, "s" * 1000, id="i" * 1000),
        event(uuid4(), "payment.new", number=10**40),
    ],
)
def test_what_concerns_no_order_is_answered_200_kept_and_asked_of_nobody(
    harbour: Project, desk: Desk, body: bytes
) -> None:
    asked = desk.api.get("/sandbox/requests").json()["count"]
    row = process(stored(body))
    assert (row.state, row.body.encode()) == (State.IGNORED, body)
    assert desk.api.get("/sandbox/requests").json()["count"] == asked
    assert not Transaction.objects.exists()


# A hint, not a fact -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payment.success", "processed"),
        ("payment.cancel", "canceled"),
        ("payment.refund", "refunded"),
        ("payment.chargeback", "chargeback"),
    ],
)
def test_every_payment_event_brings_the_order_as_the_api_has_it(
    harbour: Project, desk: Desk, name: str, status: str
) -> None:
    uuid = desk.pay(amount=23.8)
    assert process(stored(event(uuid, name, status))).state == State.PROCESSED
    entry = Transaction.objects.get()
    assert (entry.pk, entry.status, float(entry.total_amount)) == (uuid, "processed", 23.8)


def test_a_stale_success_after_a_refund_does_not_move_the_order_back(
    ben: Person, desk: Desk, order: Transaction
) -> None:
    sent(order, ben)
    eventually(lambda: desk.completed(order.pk))
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert fresh(order).status == "refunded"
    assert process(stored(event(order.pk, "payment.success", "processed"))).state == State.PROCESSED
    assert fresh(order).status == "refunded"


def test_not_even_when_paysuper_itself_falls_back(harbour: Project, desk: Desk, order: Transaction) -> None:
    before = desk.api.get(f"/admin/api/v1/order/{order.pk}").text
    desk.charge_back(order.pk)
    process(stored(event(order.pk, "payment.chargeback", "chargeback")))
    desk.refuse(200, before, method="GET", path=f"{order.pk}$")
    assert process(stored(event(order.pk))).state == State.PROCESSED
    assert fresh(order).status == "chargeback"


def test_a_webhook_about_another_merchants_order_changes_and_shows_nothing(
    ann: Person, cleo: Person, desk: Desk, order: Transaction
) -> None:
    body = event(order.pk, "payment.chargeback", "chargeback")
    deliver(body, address=f"/webhooks/paysuper/{KETTLE}/", secret=KETTLE_SECRET)
    row = process(WebhookEvent.objects.get())
    assert (row.state, row.merchant) == (State.RECEIVED, cleo.membership.merchant)
    assert (fresh(order).status, fresh(order).merchant) == ("processed", ann.membership.merchant)
    assert f"/webhooks/{row.pk}/" in cleo.browser.get("/webhooks/").content.decode()
    assert f"/webhooks/{row.pk}/" not in ann.browser.get("/webhooks/").content.decode()
    assert ann.browser.get(f"/webhooks/{row.pk}/").status_code == 404


def test_a_processed_webhook_rings_for_the_open_refund_and_the_refund_row(
    ben: Person, desk: Desk, order: Transaction, bells: list[tuple[str, int]]
) -> None:
    action = sent(order, ben)
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert bells == [("settle_action", action.pk), ("sync_merchant", order.merchant_id)]


def test_many_webhooks_at_once_ring_for_one_sync(order: Transaction, bells: list[tuple[str, int]]) -> None:
    for name in ("payment.success", "payment.refund", "payment.chargeback"):
        process(stored(event(order.pk, name, "processed")))
    assert bells == [("sync_merchant", order.merchant_id)]


def test_a_webhook_is_processed_while_the_cache_is_down(
    order: Transaction, bells: list[tuple[str, int]], settings
) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert process(stored(event(order.pk, "payment.success", "processed"))).state == State.PROCESSED
    assert bells == []


@pytest.mark.usefixtures("inline")
def test_a_refund_webhook_ends_the_refund_at_once(ben: Person, desk: Desk, order: Transaction) -> None:
    action = sent(order, ben)
    eventually(lambda: desk.completed(order.pk))
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert (fresh(action).state, fresh(order).status) == ("refunded", "refunded")


# Trouble on the way -------------------------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
def test_while_paysuper_is_down_an_event_waits_and_is_processed_by_the_sweeper_later(
    harbour: Project, desk: Desk, paysuper: Sandbox, bells: list[tuple[str, int]]
) -> None:
    uuid = desk.pay()
    Merchant.objects.update(api_url="http://127.0.0.1:1")
    row = process(stored(event(uuid)))
    assert (row.state, row.attempts) == (State.RECEIVED, 1)
    assert row.error
    assert row.try_at > timezone.now()
    assert inbox.due() == bells == []
    pauses = []
    for _ in range(11):
        row = process(row)
        pauses.append(round((row.try_at - timezone.now()).total_seconds()))
    assert pauses == [4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    Merchant.objects.update(api_url=paysuper.url)
    WebhookEvent.objects.update(try_at=timezone.now())
    tasks.sweep_webhooks()
    assert bells == [("process_webhook", row.pk)]
    assert process(row).state == State.PROCESSED
    assert (fresh(row).error, Transaction.objects.get().pk) == ("", uuid)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_no_passing_trouble_ever_gives_an_event_up(harbour: Project, desk: Desk, status: int) -> None:
    row = stored(event(desk.pay()))
    desk.refuse(status, "", method="GET", path="", count=None)
    WebhookEvent.objects.update(last_received_at=timezone.now() - dt.timedelta(days=30))
    assert process(row).state == State.RECEIVED
    desk.heal()
    assert process(row).state == State.PROCESSED


def test_an_order_that_paysuper_does_not_know_is_given_up_after_two_days(harbour: Project) -> None:
    row = process(stored(event(uuid4())))
    assert row.state == State.RECEIVED
    WebhookEvent.objects.update(last_received_at=timezone.now() - dt.timedelta(days=3))
    row = process(row)
    assert (row.state, row.error) == (State.FAILED, "PaySuper does not know this order.")
    assert stored(event(row.order_uuid)).state == State.RECEIVED  # news again


def test_a_worker_that_died_before_processing_is_replaced(
    harbour: Project, order: Transaction, monkeypatch: pytest.MonkeyPatch, bells: list[tuple[str, int]]
) -> None:
    def dying(*_: object) -> None:
        raise SystemExit

    row = stored(event(order.pk))
    with monkeypatch.context() as patched:
        patched.setattr(sync, "refresh", dying)
        with pytest.raises(SystemExit):
            tasks.process_webhook(row.pk)
    WebhookEvent.objects.update(try_at=timezone.now())
    tasks.sweep_webhooks()
    assert bells == [("process_webhook", row.pk)]
    assert process(row).state == State.PROCESSED


def test_an_event_is_rung_for_again_only_after_its_own_bell_had_time(harbour: Project) -> None:
    stored(event(uuid4()))
    assert inbox.due() == []
    WebhookEvent.objects.update(try_at=timezone.now())
    assert len(inbox.due()) == 1


# The log ------------------------------------------------------------------------------------------


def test_the_log_shows_the_event_and_masks_activation_keys(ann: Person, harbour: Project) -> None:
    example = json.loads(
        next(path for path in EXAMPLES if path.name == "webhook.payment.success.key.json").read_text()
    )
    row = stored(example["raw_body"].encode())
    page = ann.browser.get(f"/webhooks/{row.pk}/").content.decode()
    assert "payment.success" in page
    assert "lh-key-std" in page
    assert "LH7QK-2MZP8-V9C4T" not in page
    assert "payment.success" in ann.browser.get("/webhooks/").content.decode()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name.removeprefix("webhook."))
def test_every_example_can_be_looked_at(ann: Person, harbour: Project, path: Path) -> None:
    row = stored(json.loads(path.read_text())["raw_body"].encode())
    page = ann.browser.get(f"/webhooks/{row.pk}/")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize("body", [b"{}", b'{"object":[{"items":5}]}', b'{"object":{"items":{"code":"K"}}}'])
def test_odd_bodies_can_be_looked_at(ann: Person, harbour: Project, body: bytes) -> None:
    assert ann.browser.get(f"/webhooks/{stored(body).pk}/").status_code == 200


def test_the_log_is_closed_to_those_without_the_right(vera: Person, harbour: Project) -> None:
    row = stored(event(uuid4()))
    assert vera.browser.get("/webhooks/").status_code == 403
    assert vera.browser.get(f"/webhooks/{row.pk}/").status_code == 403


def test_the_endpoint_needs_no_cache_and_no_session(harbour: Project) -> None:
    cache.clear()
    answer = deliver(event(uuid4()))
    assert (answer.status_code, answer.cookies) == (200, {})
