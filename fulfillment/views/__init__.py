"""Fulfilling, refunding, and the webhook log. A GET shows the form, a POST asks."""

from fulfillment.views.fulfilling import fulfil, unfulfil
from fulfillment.views.refunds import close, refund
from fulfillment.views.state import state
from fulfillment.views.webhook_log import webhook, webhook_list

__all__ = ["close", "fulfil", "refund", "state", "unfulfil", "webhook", "webhook_list"]
