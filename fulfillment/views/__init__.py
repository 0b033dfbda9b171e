"""Fulfilling, refunding, and the webhook log. A GET shows the form, a POST asks."""

from fulfillment.views.fulfilling import fulfil, restore, unfulfil, withdraw
from fulfillment.views.project_fulfilment import project_fulfilment, resend, server_call, server_secret
from fulfillment.views.queue import claim, release, to_fulfil
from fulfillment.views.refunds import close, refund
from fulfillment.views.state import state
from fulfillment.views.webhook_log import webhook, webhook_list

__all__ = [
    "claim",
    "close",
    "fulfil",
    "project_fulfilment",
    "refund",
    "release",
    "resend",
    "restore",
    "server_call",
    "server_secret",
    "state",
    "to_fulfil",
    "unfulfil",
    "webhook",
    "webhook_list",
    "withdraw",
]
