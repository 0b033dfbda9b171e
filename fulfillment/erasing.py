"""Forgetting a customer on request: everything that says who they are goes, every sum stays.

What stays, and why: amounts, dates, country, products and ids of orders (books must be kept, and say nothing
of a person without PaySuper's own records); the audit and reasons given for refunds, which hold no customer's
data unless a colleague typed it; files of exports, which are dropped seven days after they were made; the
question whether a customer may pay (`user.validate`), which belongs to no order, until webhooks are dropped.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from fulfillment.models import (
    Action,
    KeyReplacement,
    Message,
    ReceiptPage,
    ServerCall,
    ServerCallTry,
    WebhookEvent,
)
from merchant import audit
from merchant.models import Merchant, User
from transactions import mirror
from transactions.models import Note

_BODY = '{"erased": true}'
_NOTE = "Erased with the customer."


class NotYet(Exception):
    """Something is still under way that needs to know the customer; the message says what."""


@dataclass(frozen=True)
class Erased:
    """What was found of a customer and is gone."""

    orders: int
    webhooks: int
    mails: int


def erase(merchant: Merchant, customer: str, by: User | None = None) -> Erased:
    """Forget the customer with this e-mail address or ID, at once and for good. Audited without either.

    Raises NotYet while a refund, a mail or a call of the merchant's server is under way, and changes nothing.
    """
    customer = customer.strip()
    with transaction.atomic():
        uuids = mirror.forget(merchant, customer)
        _must_be_at_rest(merchant, uuids)
        mine = {"merchant": merchant, "transaction__in": uuids}
        webhooks = WebhookEvent.objects.filter(merchant=merchant, order_uuid__in=uuids)
        webhook_count = webhooks.update(body=_BODY, headers={})
        empty = dict.fromkeys(("recipient", "subject", "text", "html", "activation_keys", "outcome"), "")
        mail_count = Message.objects.filter(Q(refund_uuid__in=uuids) | Q(**mine), merchant=merchant).update(
            **empty
        )
        ReceiptPage.objects.filter(**mine).delete()
        Note.objects.filter(**mine).update(text=_NOTE)
        ServerCallTry.objects.filter(call__in=ServerCall.objects.filter(**mine)).update(answer="")
        for call in ServerCall.objects.filter(**mine):
            ServerCall.objects.filter(pk=call.pk).update(body=_without_customer(call.body))
        erased = Erased(len(uuids), webhook_count, mail_count)
        if uuids:
            audit.record(merchant, by, "customer.erased", "customer", **vars(erased))
    return erased


def _must_be_at_rest(merchant: Merchant, uuids: list[UUID]) -> None:
    mine = {"merchant": merchant, "transaction__in": uuids}
    if Action.objects.filter(**mine, state__in=Action.OPEN).exists():
        raise NotYet("A refund of one of the orders is under way.")
    if KeyReplacement.objects.filter(**mine, state__in=KeyReplacement.OPEN).exists():
        raise NotYet("An activation key of one of the orders is being replaced.")
    if Message.objects.filter(**mine, state__in=Message.OPEN).exists():
        raise NotYet("A mail to the customer is still to be sent.")
    if ServerCall.objects.filter(**mine, state__in=ServerCall.OPEN).exists():
        raise NotYet("Your server is still to be told of one of the orders.")


def _without_customer(body: str) -> str:
    document = json.loads(body)
    order = document.get("order", {})
    items = [{**item, "metadata": None} for item in order.get("items") or []]
    return json.dumps({**document, "order": {**order, "customer": None, "items": items}})
