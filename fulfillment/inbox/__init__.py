"""The inbox of PaySuper's webhooks: stored before anything else, processed when it suits us.

A webhook is a hint that something happened to an order; what happened is read over the API.
"""

from fulfillment.inbox.processing import PAYMENT_EVENTS, due, process, replay, unsettled
from fulfillment.inbox.receiving import VALIDATION, Delivery, Stored, Unreadable, store

__all__ = [
    "PAYMENT_EVENTS",
    "VALIDATION",
    "Delivery",
    "Stored",
    "Unreadable",
    "due",
    "process",
    "replay",
    "store",
    "unsettled",
]
