"""A webhook is verified, stored, answered, and then only believed as far as the API says the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from fulfillment import inbox, tasks
from fulfillment.models import WebhookEvent
from merchant.models import Project
from merchant.paysuper import signature
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE, SNOW_SECRET
from tests.fulfillment.desk import Desk, broker_down
from tests.fulfillment.webhook_events import ADDRESS, EXAMPLES, State, deliver, event, stored
from transactions.models import Transaction

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
