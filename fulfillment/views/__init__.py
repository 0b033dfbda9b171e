"""Fulfilling, refunding, many rows at once, mails, the webhook log, and the webhooks of a project."""

from fulfillment.views.batches import batch, batch_list, confirm_batch, download_batch
from fulfillment.views.deciding import check, close, decide, undo
from fulfillment.views.fulfilling import fulfil, restore, unfulfil, withdraw
from fulfillment.views.going_live import going_live
from fulfillment.views.mail_list import message_list
from fulfillment.views.mails import mail, message, message_body
from fulfillment.views.operations import metrics, operations
from fulfillment.views.privacy import erase_customer, retention_rules
from fulfillment.views.project_fulfilment import project_fulfilment, resend, server_call, server_secret
from fulfillment.views.project_list import project_list, read_projects_now
from fulfillment.views.project_mail import project_mail
from fulfillment.views.project_pages import project_pages
from fulfillment.views.project_webhooks import (
    project_secret,
    project_secret_end,
    project_switches,
    project_test,
    project_webhooks,
)
from fulfillment.views.queue import claim, release, to_fulfil
from fulfillment.views.receipts import receipt, receipt_logo
from fulfillment.views.refund_list import refund_list
from fulfillment.views.refund_rules import refund_rules
from fulfillment.views.refunds import refund
from fulfillment.views.replacing import check_replacement, close_replacement, replace_key
from fulfillment.views.returning import return_logo, sorry, thanks
from fulfillment.views.selecting import select_to_fulfil, select_to_refund
from fulfillment.views.state import state
from fulfillment.views.testing import test_checkout, test_payment
from fulfillment.views.webhook_clinic import webhook_clinic
from fulfillment.views.webhook_log import refused_list, replay, replay_unsettled, webhook, webhook_list

__all__ = [
    "batch",
    "batch_list",
    "check",
    "check_replacement",
    "claim",
    "close",
    "close_replacement",
    "confirm_batch",
    "decide",
    "download_batch",
    "erase_customer",
    "fulfil",
    "going_live",
    "mail",
    "message",
    "message_body",
    "message_list",
    "metrics",
    "operations",
    "project_fulfilment",
    "project_list",
    "project_mail",
    "project_pages",
    "project_secret",
    "project_secret_end",
    "project_switches",
    "project_test",
    "project_webhooks",
    "read_projects_now",
    "receipt",
    "receipt_logo",
    "refund",
    "refund_list",
    "refund_rules",
    "refused_list",
    "release",
    "replace_key",
    "replay",
    "replay_unsettled",
    "resend",
    "restore",
    "retention_rules",
    "return_logo",
    "select_to_fulfil",
    "select_to_refund",
    "server_call",
    "server_secret",
    "sorry",
    "state",
    "test_checkout",
    "test_payment",
    "thanks",
    "to_fulfil",
    "undo",
    "unfulfil",
    "webhook",
    "webhook_clinic",
    "webhook_list",
    "withdraw",
]
