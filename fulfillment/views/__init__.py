"""Fulfilling, refunding, many rows at once, and the webhook log. A GET shows the form, a POST asks."""

from fulfillment.views.batches import batch, batch_list, confirm_batch, download_batch
from fulfillment.views.deciding import check, close, decide, undo
from fulfillment.views.fulfilling import fulfil, unfulfil
from fulfillment.views.refund_list import refund_list
from fulfillment.views.refund_rules import refund_rules
from fulfillment.views.refunds import refund
from fulfillment.views.selecting import select_to_fulfil, select_to_refund
from fulfillment.views.state import state
from fulfillment.views.webhook_log import webhook, webhook_list

__all__ = [
    "batch",
    "batch_list",
    "check",
    "close",
    "confirm_batch",
    "decide",
    "download_batch",
    "fulfil",
    "refund",
    "refund_list",
    "refund_rules",
    "select_to_fulfil",
    "select_to_refund",
    "state",
    "undo",
    "unfulfil",
    "webhook",
    "webhook_list",
]
