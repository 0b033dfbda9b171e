"""Fulfilling, refunding, and the webhook log. A GET shows the form, a POST asks."""

from fulfillment.views.deciding import check, close, decide, undo
from fulfillment.views.fulfilling import fulfil, unfulfil
from fulfillment.views.refund_list import refund_list
from fulfillment.views.refund_rules import refund_rules
from fulfillment.views.refunds import refund
from fulfillment.views.state import state
from fulfillment.views.webhook_log import webhook, webhook_list

__all__ = [
    "check",
    "close",
    "decide",
    "fulfil",
    "refund",
    "refund_list",
    "refund_rules",
    "state",
    "undo",
    "unfulfil",
    "webhook",
    "webhook_list",
]
