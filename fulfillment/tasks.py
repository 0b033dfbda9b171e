"""Doorways from the broker: an id in, one call of the domain."""

from uuid import UUID

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from fulfillment import (
    actions,
    automatic,
    batches,
    checkout,
    inbox,
    mailing,
    replacing,
    retention,
    returning,
)
from fulfillment.inbox import refusals, trials
from fulfillment.models import (
    Action,
    Batch,
    KeyReplacement,
    Message,
    ServerCall,
    TestPayment,
    WebhookEvent,
    WebhookTest,
)
from merchant import walls
from merchant.celery import ring
from merchant.models import Merchant
from transactions.tasks import everybody, sync_soon

log = structlog.get_logger()

# Seconds. A bell that rings too early is heard in vain, and the sweeper comes seconds later.
_CLOCKS_DIFFER = 0.2


@shared_task
def run_action(action_id: int) -> None:
    """Send a requested refund."""
    with walls.only_of(Action, action_id):
        actions.run(_action(action_id))


def ring_for_refund(action: Action) -> None:
    """Ring for `run_action` when the refund may leave: at the end of its time for undoing."""
    if action.state == Action.State.REQUESTED and action.send_at:
        wait = (action.send_at - timezone.now()).total_seconds()
        ring(run_action, action.pk, after=wait + _CLOCKS_DIFFER if wait > 0 else 0)


def ring_for_mails(order_uuid: UUID) -> None:
    """Ring for the mails of an order that may leave, for whoever has just had them written."""
    for message_id in mailing.ready(order_uuid):
        ring(send_message, message_id)


@shared_task
def settle_action(action_id: int) -> None:
    """Find out what became of a refund; the refund row follows with the next new orders."""
    with walls.only_of(Action, action_id):
        action = _action(action_id)
        actions.settle(action)
        if action.state == Action.State.REFUNDED:
            sync_soon(action.merchant_id)


@shared_task
def run_key_replacement(replacement_id: int) -> None:
    """Send a requested replacement of a key, and find out what became of one that was sent."""
    with walls.only_of(KeyReplacement, replacement_id):
        found = KeyReplacement.objects.select_related("merchant", "transaction__merchant", "requested_by")
        replacement = found.get(pk=replacement_id)
        bind_contextvars(replacement=replacement.pk, order=str(replacement.transaction_id))
        replacing.run(replacement)
        replacing.settle(replacement)
        ring_for_mails(replacement.transaction_id)


@shared_task
def run_batch(batch_id: str) -> None:
    """Do the next rows of a confirmed batch, and ring for the rest."""
    with walls.only_of(Batch, batch_id):
        batch = Batch.objects.select_related("merchant", "requested_by").get(pk=batch_id)
        moved = False
        for item in batches.run(batch):
            moved = True
            if item.action:
                ring_for_refund(item.action)
                ring_for_mails(item.transaction_id)
        # Where nothing was left to take, another worker is at it.
        if moved and batches.has_more(batch):
            ring(run_batch, batch_id)


@shared_task
def process_webhook(event_id: int) -> None:
    """Re-read the order of an event, then whatever hangs on it."""
    with walls.only_of(WebhookEvent, event_id):
        event = WebhookEvent.objects.select_related("merchant").get(pk=event_id)
        bind_contextvars(webhook=event.pk, order=str(event.order_uuid))
        if inbox.process(event):
            _follow(event)


# A server that drips its answer holds no worker for long: the sweeper takes the try for lost.
@shared_task(soft_time_limit=60, time_limit=90)
def call_server(call_id: int) -> None:
    """Tell a merchant's own server of an order."""
    with walls.only_of(ServerCall, call_id):
        automatic.call(call_id)
        ring_for_mails(ServerCall.objects.get(pk=call_id).transaction_id)


@shared_task
def sweep_server_calls() -> None:
    """Ring again for calls that wait, and begin with paid orders that nobody has begun with."""
    with walls.lifted():  # whoever's they are
        missed = automatic.missed()
    for entry in missed:
        try:
            with walls.only(entry.merchant_id):
                automatic.begin(entry.merchant, entry.pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One order that breaks must not stand in the way of all others.
            log.exception("order_not_begun", order=str(entry.pk))
    with walls.lifted():  # the same
        due = automatic.due()
    for call_id in due:
        call_server.delay(call_id)


# Longer than a patient mail server needs; what is left after that, the sweeper takes for lost.
@shared_task(soft_time_limit=120, time_limit=150)
def send_message(message_id: int) -> None:
    """Send a mail to a customer."""
    with walls.only_of(Message, message_id):
        mailing.run(message_id)


@shared_task
def sweep_messages() -> None:
    """Ring again for mails that wait, and write the receipts that nobody has written."""
    with walls.lifted():  # whoever's they are
        due = [*mailing.due(), *mailing.missed()]
    for message_id in due:
        send_message.delay(message_id)


@shared_task
def send_webhook_test(test_id: int) -> None:
    """Have PaySuper send a made-up webhook."""
    with walls.only_of(WebhookTest, test_id):
        trials.send(WebhookTest.objects.select_related("merchant", "project").get(pk=test_id))


@shared_task
def make_test_payment(test_id: int) -> None:
    """Have the sandbox make a payment that somebody wants to try."""
    with walls.only_of(TestPayment, test_id):
        test = TestPayment.objects.select_related("merchant", "project", "requested_by").get(pk=test_id)
        checkout.send(test)
        sync_soon(test.merchant_id)


@shared_task
def sweep_actions() -> None:
    """Ring again for actions that wait."""
    with walls.lifted():  # whoever's they are
        due, replacements = actions.due(), replacing.due()
    for action_id, state in due:
        task = run_action if state == Action.State.REQUESTED else settle_action
        task.delay(action_id)
    for replacement_id in replacements:
        run_key_replacement.delay(replacement_id)


@shared_task
def sweep_batches() -> None:
    """Ring again for batches that nobody is working on, and drop previews that nobody confirmed."""
    with walls.lifted():  # whoever's they are
        for batch_id in batches.due():
            run_batch.delay(str(batch_id))
        batches.expire()


@shared_task
def sweep_webhooks() -> None:
    """Ring again for webhooks that wait."""
    with walls.lifted():  # whoever's they are
        for event_id in inbox.due():
            process_webhook.delay(event_id)
        for test_id in trials.due():
            send_webhook_test.delay(test_id)
        for test_id in checkout.due():
            make_test_payment.delay(test_id)
        refusals.forget()
        returning.forget()


@shared_task
def drop_what_is_old() -> None:
    """Ring for every merchant: texts whose time is over are dropped."""
    for merchant_id in everybody():
        drop_old_texts.delay(merchant_id)


@shared_task
def drop_old_texts(merchant_id: int) -> None:
    """Drop the texts of one merchant whose time is over."""
    with walls.only(merchant_id):
        merchant = Merchant.objects.get(pk=merchant_id)
        log.info("texts_dropped", merchant=merchant.paysuper_id, **retention.drop(merchant))


def _follow(event: WebhookEvent) -> None:
    """What hangs on an order that was read again."""
    returning.note(event)
    if event.order_uuid:
        if call_id := automatic.begin(event.merchant, event.order_uuid):
            ring(call_server, call_id)
        mailing.after_reading(event.merchant, event.order_uuid)
        ring_for_mails(event.order_uuid)
    for action_id in actions.look_now(event.order_uuid):
        settle_action.delay(action_id)
    sync_soon(event.merchant_id)


def _action(action_id: int) -> Action:
    action = Action.objects.select_related("merchant", "transaction").get(pk=action_id)
    # Every line of the log from here on says whose it is, beside the ids of the task and of the click.
    bind_contextvars(action=action.pk, order=str(action.transaction_id))
    return action
