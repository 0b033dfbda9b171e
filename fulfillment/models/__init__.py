"""What we do about transactions: actions of staff, and the inbox of PaySuper's webhooks."""

from fulfillment.models.acting import Action
from fulfillment.models.arriving import RefusalCount, RefusedDelivery, WebhookEvent, WebhookTest

__all__ = ["Action", "RefusalCount", "RefusedDelivery", "WebhookEvent", "WebhookTest"]
