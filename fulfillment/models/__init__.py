"""What we do about transactions: actions, batches, keys, PaySuper's webhooks, calls of servers, mails."""

from fulfillment.models.acting import OPEN_REFUNDS, Action
from fulfillment.models.arriving import RefusalCount, RefusedDelivery, WebhookEvent, WebhookTest
from fulfillment.models.batching import Batch, BatchItem
from fulfillment.models.calling import ServerCall, ServerCallTry
from fulfillment.models.fulfilling import Claim, FulfilledItem, FulfilmentRule
from fulfillment.models.going_live import BackupNote
from fulfillment.models.mailing import MailRule, Message, ReceiptPage
from fulfillment.models.replacing import KeyReplacement
from fulfillment.models.returning import ReturnPage, ReturnToken
from fulfillment.models.trying import TestPayment

__all__ = [
    "OPEN_REFUNDS",
    "Action",
    "BackupNote",
    "Batch",
    "BatchItem",
    "Claim",
    "FulfilledItem",
    "FulfilmentRule",
    "KeyReplacement",
    "MailRule",
    "Message",
    "ReceiptPage",
    "RefusalCount",
    "RefusedDelivery",
    "ReturnPage",
    "ReturnToken",
    "ServerCall",
    "ServerCallTry",
    "TestPayment",
    "WebhookEvent",
    "WebhookTest",
]
