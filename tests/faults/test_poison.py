"""One row that breaks whoever touches it stands in nobody's way, and is seen."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from fulfillment import actions, automatic, inbox, tasks
from fulfillment.models import Action, Batch, BatchItem, ServerCall, WebhookEvent
from merchant.models import Merchant, Project
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh, mirrored_order, sent, settled
from tests.fulfillment.shop import Shop
from tests.fulfillment.test_server_calls import set_rule
from transactions.models import Transaction

State = Action.State
pytestmark = pytest.mark.usefixtures("hurried")


def poison(table: str, column: str, uuid: UUID) -> None:
    """The database refuses every row of this table that belongs to this order, as it refuses bad data."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'poisoned' USING ERRCODE = '22003'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW"
            f" WHEN (NEW.{column} = '{uuid}') EXECUTE FUNCTION pg_temp.refuse()"
        )


def heal(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER poison ON {table}")


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    settings.ALLOW_PRIVATE_SERVERS = True
    with Shop() as shop:
        yield shop


def test_an_order_that_the_mirror_cannot_keep_does_not_hide_what_became_of_its_refund(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    action = sent(order, ann)
    poison("transactions_raworder", "transaction_id", order.pk)
    assert settled(action, State.REFUNDED)
    heal("transactions_raworder")


def test_an_event_that_breaks_its_worker_is_listed_with_its_error_and_done_when_it_can_be(
    harbour: Project, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    uuid = desk.pay(project_id=harbour.paysuper_id)
    poison("transactions_raworder", "transaction_id", uuid)
    body = f'{{"id":"a","event":"payment.success","object":{{"id":"{uuid}"}}}}'.encode()
    event_id = inbox.store(harbour, inbox.Delivery(body)).id
    tasks.process_webhook(event_id)
    event = WebhookEvent.objects.get()
    assert (event.state, event.attempts) == ("received", 1)
    assert event.error == "The order could not be kept (NumericValueOutOfRange)."
    assert list(inbox.unsettled(WebhookEvent.objects.all())) == [event]
    # The database quotes the row that it refuses, with the customer in it.
    assert "webhook_breaks" in caplog.text
    assert "billing_address" not in caplog.text
    heal("transactions_raworder")
    tasks.process_webhook(event_id)
    assert WebhookEvent.objects.get().state == "processed"
    assert Transaction.objects.filter(pk=uuid).exists()


def test_a_row_of_a_batch_that_breaks_is_named_and_the_others_are_done(
    ann: Person, desk: Desk, lantern: Merchant
) -> None:
    entries = [mirrored_order(lantern, desk) for _ in range(3)]
    batch = Batch.objects.create(
        merchant=lantern, requested_by=ann.membership.user, kind="refund", state="running", reason="x"
    )
    for position, entry in enumerate(entries):
        BatchItem.objects.create(
            batch=batch, transaction=entry, position=position, state="waiting",
            seen_amount=entry.charge_amount, seen_currency=entry.charge_currency,
        )  # fmt: skip
    poison("fulfillment_action", "transaction_id", entries[0].pk)
    tasks.run_batch(str(batch.pk))
    heal("fulfillment_action")
    assert [item.state for item in batch.items.all()] == ["blocked", "asked", "asked"]
    assert "Something went wrong" in batch.items.get(position=0).verdict
    assert fresh(batch).state == "done"
    assert actions.due() != []


def test_an_order_that_cannot_be_begun_with_keeps_no_other_from_its_server(
    lantern: Merchant, desk: Desk, order: Transaction, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = mirrored_order(lantern, desk, project_id=order.project.paysuper_id)
    set_rule(order, shop.url)
    rung: list[int] = []
    monkeypatch.setattr(tasks.call_server, "delay", rung.append)
    poison("fulfillment_servercall", "transaction_id", order.pk)
    tasks.sweep_server_calls()
    heal("fulfillment_servercall")
    assert rung == [ServerCall.objects.get(transaction=another).pk]
    assert [each.pk for each in automatic.missed()] == [order.pk]
