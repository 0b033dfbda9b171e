"""What we do about transactions: actions of staff, PaySuper's webhooks, and calls of merchants' servers.

Only `fulfillment.actions` changes an action's state, only `fulfillment.inbox` an event's, only
`fulfillment.automatic` a call's.
"""

from fulfillment.models.asked import Action, WebhookEvent
from fulfillment.models.called import ServerCall, ServerCallTry
from fulfillment.models.fulfilled import Claim, FulfilledItem, FulfilmentRule

__all__ = [
    "Action",
    "Claim",
    "FulfilledItem",
    "FulfilmentRule",
    "ServerCall",
    "ServerCallTry",
    "WebhookEvent",
]
