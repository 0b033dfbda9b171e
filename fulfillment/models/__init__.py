"""What we do about transactions: actions of staff, and the inbox of PaySuper's webhooks."""

from fulfillment.models.acting import OPEN_REFUNDS, Action
from fulfillment.models.arriving import WebhookEvent

__all__ = ["OPEN_REFUNDS", "Action", "WebhookEvent"]
