"""PaySuper's signed webhooks arrive at a listening server, and the mirror follows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from fulfillment import tasks
from fulfillment.models import WebhookEvent
from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, Person
from tests.fulfillment.desk import Desk, fresh, sent
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
State = WebhookEvent.State


@pytest.fixture
def paysuper(live_server: LiveServer) -> Iterator[Sandbox]:
    """A PaySuper that knows our address and does not wait ten minutes to repeat itself."""
    address = f"{live_server.url}/webhooks/paysuper/{{project_id}}/"
    with Sandbox(
        orders=0, seed=5, refund_delay=0.05, webhook_url=address, webhook_retry_interval=0.2
    ) as sandbox:
        yield sandbox


def work() -> None:
    """What the workers do when the sweepers ring."""
    for row in WebhookEvent.objects.filter(state=State.RECEIVED):
        tasks.process_webhook(row.pk)


def arrived(count: int = 1, **wanted: object) -> list[WebhookEvent]:
    """Waits for this many events of a kind."""
    found = WebhookEvent.objects.filter(**wanted)
    eventually(lambda: found.count() >= count)
    return list(found)


def told(desk: Desk) -> list[dict[str, Any]]:
    """PaySuper's own log of what it sent."""
    return desk.api.get("/sandbox/webhooks").json()["webhooks"]


@pytest.fixture
def paid(lantern: Merchant, desk: Desk) -> Transaction:
    """An order that came to us by webhook only."""
    uuid = desk.pay(project_id=HARBOUR)
    arrived(event="payment.success", order_uuid=uuid)
    work()
    return Transaction.objects.get(pk=uuid)


def test_a_payment_comes_into_the_mirror_by_its_webhook(paid: Transaction, desk: Desk) -> None:
    assert (paid.status, paid.fulfilment) == ("processed", "unfulfilled")
    row = WebhookEvent.objects.get()
    assert (row.state, row.deliveries, row.order_status) == (State.PROCESSED, 1, "processed")
    eventually(lambda: [each["state"] for each in told(desk)] == ["delivered"])


def test_a_refund_ends_by_its_webhook(paid: Transaction, ben: Person, desk: Desk) -> None:
    action = sent(paid, ben)
    arrived(event="payment.refund", order_uuid=paid.pk)
    assert fresh(paid).status == "processed"  # stored, not believed
    work()
    assert fresh(paid).status == "refunded"
    tasks.settle_action(action.pk)
    assert (fresh(action).state, fresh(paid).refund_state) == ("refunded", "refunded")
    assert desk.completed(paid.pk) == 1


def test_a_chargeback_arrives(paid: Transaction, desk: Desk) -> None:
    desk.charge_back(paid.pk)
    arrived(event="payment.chargeback")
    work()
    assert fresh(paid).status == "chargeback"


def test_a_duplicate_is_counted(paid: Transaction, desk: Desk) -> None:
    desk.webhook_fault("duplicate")
    desk.charge_back(paid.pk)
    rows = arrived(event="payment.chargeback", deliveries=2)
    assert len(rows) == 1
    work()
    assert fresh(paid).status == "chargeback"


def test_a_forged_signature_is_turned_away_and_the_true_repetition_is_taken(
    paid: Transaction, desk: Desk
) -> None:
    desk.webhook_fault("wrong_signature")
    desk.charge_back(paid.pk)
    rows = arrived(event="payment.chargeback")
    assert [row.deliveries for row in rows] == [1]
    eventually(lambda: told(desk)[-1]["state"] == "delivered")
    assert told(desk)[-1]["tries"] == 2


def test_events_in_the_wrong_order_end_in_the_right_state(lantern: Merchant, ben: Person, desk: Desk) -> None:
    desk.webhook_fault("swap", seconds=3)
    uuid = desk.pay(project_id=HARBOUR)
    desk.charge_back(uuid)
    arrived(2, order_uuid=uuid)
    assert [row.event for row in WebhookEvent.objects.order_by("pk")] == [
        "payment.chargeback",
        "payment.success",
    ]
    for row in WebhookEvent.objects.order_by("pk"):
        tasks.process_webhook(row.pk)
        assert Transaction.objects.get(pk=uuid).status == "chargeback"


def test_a_lost_webhook_is_made_up_for_by_looking(paid: Transaction, ben: Person, desk: Desk) -> None:
    desk.webhook_fault("drop")
    action = sent(paid, ben)
    eventually(lambda: desk.completed(paid.pk))
    tasks.settle_action(action.pk)
    assert (fresh(action).state, fresh(paid).status) == ("refunded", "refunded")
    assert not WebhookEvent.objects.filter(event="payment.refund").exists()


def test_what_we_could_not_store_comes_again(paid: Transaction, desk: Desk) -> None:
    rename("fulfillment_webhookevent", "taken_away")
    try:
        desk.charge_back(paid.pk)
        eventually(lambda: told(desk)[-1]["last_status"] == 503)
    finally:
        rename("taken_away", "fulfillment_webhookevent")
    arrived(event="payment.chargeback")
    work()
    assert fresh(paid).status == "chargeback"


def rename(table: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_a_webhook_test_is_kept_and_is_no_order(lantern: Merchant, desk: Desk) -> None:
    for case in ("correct_payment", "invalid_signature"):
        body = {"project": HARBOUR, "type": "simple", "testing_case": case, "amount": 9.99, "currency": "EUR"}
        desk.api.post(f"/admin/api/v1/projects/{HARBOUR}/webhook/testing", json=body)
    rows = arrived(testing_case="correct_payment")
    work()
    assert fresh(rows[0]).state == State.IGNORED
    assert not WebhookEvent.objects.filter(testing_case="invalid_signature").exists()
    assert not Transaction.objects.exists()
