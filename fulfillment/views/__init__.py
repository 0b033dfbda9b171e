"""Fulfilling, refunding, many rows at once, and the webhook log. A GET shows the form, a POST asks."""

from fulfillment.views.batches import batch, batch_list, confirm_batch, download_batch
from fulfillment.views.fulfilling import fulfil, unfulfil
from fulfillment.views.refunds import close, refund
from fulfillment.views.selecting import select_to_fulfil, select_to_refund
from fulfillment.views.state import state
from fulfillment.views.webhook_log import webhook, webhook_list

__all__ = [
    "batch",
    "batch_list",
    "close",
    "confirm_batch",
    "download_batch",
    "fulfil",
    "refund",
    "select_to_fulfil",
    "select_to_refund",
    "state",
    "unfulfil",
    "webhook",
    "webhook_list",
]
