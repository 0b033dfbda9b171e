"""What we do about transactions: actions of staff, one by one or many at once, and the inbox of webhooks."""

from fulfillment.models.acting import OPEN_REFUNDS, Action
from fulfillment.models.arriving import RefusalCount, RefusedDelivery, WebhookEvent, WebhookTest
from fulfillment.models.batching import Batch, BatchItem

__all__ = [
    "OPEN_REFUNDS",
    "Action",
    "Batch",
    "BatchItem",
    "RefusalCount",
    "RefusedDelivery",
    "WebhookEvent",
    "WebhookTest",
]
