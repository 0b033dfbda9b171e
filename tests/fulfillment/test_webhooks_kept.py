"""One row for an event and its object, and what is kept without being processed."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from fulfillment.models import WebhookEvent
from merchant.models import Merchant, Project
from tests.conftest import KETTLE, KETTLE_SECRET
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.webhook_events import State, deliver, event, process, stored
from transactions import sync
from transactions.models import Transaction

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
