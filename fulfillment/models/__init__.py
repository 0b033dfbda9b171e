"""What we do about transactions: actions of staff, PaySuper's webhooks, and calls of merchants' servers."""

from fulfillment.models.acting import Action
from fulfillment.models.arriving import WebhookEvent
from fulfillment.models.calling import ServerCall, ServerCallTry
from fulfillment.models.fulfilling import Claim, FulfilledItem, FulfilmentRule

__all__ = [
    "Action",
    "Claim",
    "FulfilledItem",
    "FulfilmentRule",
    "ServerCall",
    "ServerCallTry",
    "WebhookEvent",
]
