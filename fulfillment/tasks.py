"""Doorways from the broker: an id in, one call of the domain."""

import structlog
from celery import shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from fulfillment import actions, inbox
from fulfillment.models import Action, WebhookEvent
from transactions.tasks import sync_merchant

log = structlog.get_logger()


@shared_task
def run_action(action_id: int) -> None:
    """Send a requested refund."""
    actions.run(_action(action_id))


@shared_task
def settle_action(action_id: int) -> None:
    """Find out what became of a refund; the refund row follows with the next new orders."""
    action = _action(action_id)
    actions.settle(action)
    if action.state == Action.State.REFUNDED:
        sync_merchant.delay(action.merchant_id)


@shared_task
def process_webhook(event_id: int) -> None:
    """Re-read the order of an event, then whatever hangs on it."""
    event = WebhookEvent.objects.select_related("merchant").get(pk=event_id)
    if inbox.process(event):
        for action_id in actions.look_now(event.order_uuid):
            settle_action.delay(action_id)
        sync_merchant.delay(event.merchant_id)


@shared_task
def sweep_actions() -> None:
    """Ring again for actions that wait."""
    for action_id, state in actions.due():
        task = run_action if state == Action.State.REQUESTED else settle_action
        task.delay(action_id)


@shared_task
def sweep_webhooks() -> None:
    """Ring again for webhooks that wait."""
    for event_id in inbox.due():
        process_webhook.delay(event_id)


def ring_for_action(action: Action) -> None:
    """Ring after commit. A dead broker is no trouble of the person: the sweeper rings later."""
    transaction.on_commit(lambda: _ring(run_action, action.pk))


def ring_for_webhook(event_id: int) -> None:
    """Ring after commit, if the broker is there."""
    transaction.on_commit(lambda: _ring(process_webhook, event_id))


def _ring(task: object, row_id: int) -> None:
    try:
        task.delay(row_id)  # type: ignore[attr-defined]
    except OperationalError:
        log.warning("bell_not_rung", task=getattr(task, "name", ""), row=row_id)


def _action(action_id: int) -> Action:
    return Action.objects.select_related("merchant", "transaction").get(pk=action_id)
