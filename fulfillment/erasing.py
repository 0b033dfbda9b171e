"""Forgetting a customer on request: everything that says who they are goes, every sum stays.

What stays, and why: amounts, dates, country, products and ids of orders (books must be kept, and say nothing
of a person without PaySuper's own records); the audit and reasons given for refunds, which hold no customer's
data unless a colleague typed it; files of exports, which are dropped seven days after they were made; the
question whether a customer may pay (`user.validate`), which belongs to no order, until webhooks are dropped.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

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
    """What is found of a customer, or was found and is gone: `orders` counts refunds, too."""

    orders: int
    webhooks: int
    mails: int
    calls: int
    notes: int

    @property
    def phrase(self) -> str:
        """What is typed to confirm it. It holds the number, so that what has come meanwhile is seen first."""
        return f"ERASE {self.orders}"

    @property
    def in_words(self) -> str:
        """The counts, as part of a sentence."""
        counts = [
            (self.orders, "order or refund", "orders and refunds"),
            (self.webhooks, "webhook", "webhooks"),
            (self.mails, "mail", "mails"),
            (self.calls, "call of your server", "calls of your server"),
            (self.notes, "note", "notes"),
        ]
        words = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
        return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else "nothing"]))


@dataclass(frozen=True)
class _Traces:
    """Everything of these orders and refunds that says who their customer is, beside themselves."""

    merchant: Merchant
    uuids: list[UUID]

    @property
    def _mine(self) -> dict[str, Any]:
        return {"merchant": self.merchant, "transaction__in": self.uuids}

    @property
    def webhooks(self) -> QuerySet[WebhookEvent]:
        return WebhookEvent.objects.filter(merchant=self.merchant, order_uuid__in=self.uuids)

    @property
    def mails(self) -> QuerySet[Message]:
        of_refunds = Q(refund_uuid__in=self.uuids)
        return Message.objects.filter(of_refunds | Q(**self._mine), merchant=self.merchant)

    @property
    def calls(self) -> QuerySet[ServerCall]:
        return ServerCall.objects.filter(**self._mine)

    @property
    def notes(self) -> QuerySet[Note]:
        return Note.objects.filter(**self._mine)

    @property
    def pages(self) -> QuerySet[ReceiptPage]:
        return ReceiptPage.objects.filter(**self._mine)

    @property
    def refunds_under_way(self) -> QuerySet[Action]:
        return Action.objects.filter(**self._mine, state__in=Action.OPEN)

    @property
    def keys_under_way(self) -> QuerySet[KeyReplacement]:
        return KeyReplacement.objects.filter(**self._mine, state__in=KeyReplacement.OPEN)

    def counted(self) -> Erased:
        rows = (self.webhooks, self.mails, self.calls, self.notes)
        return Erased(len(self.uuids), *(each.count() for each in rows))


def found(merchant: Merchant, customer: str) -> Erased:
    """What would go if the customer with this e-mail address or ID was forgotten now."""
    return _Traces(merchant, mirror.entries_of(merchant, customer.strip())).counted()


def blocker(merchant: Merchant, customer: str) -> str:
    """Why the customer cannot be forgotten now, as a sentence; "" when they can."""
    return _blocker(_Traces(merchant, mirror.entries_of(merchant, customer.strip())))


def erase(merchant: Merchant, customer: str, by: User | None = None) -> Erased:
    """Forget the customer with this e-mail address or ID, at once and for good. Audited without either.

    Raises NotYet while a refund, a mail or a call of the merchant's server is under way, and changes nothing.
    """
    with transaction.atomic():
        traces = _Traces(merchant, mirror.forget(merchant, customer.strip()))
        if reason := _blocker(traces):
            raise NotYet(reason)
        erased = traces.counted()
        traces.webhooks.update(body=_BODY, headers={})
        empty = dict.fromkeys(("recipient", "subject", "text", "html", "activation_keys", "outcome"), "")
        traces.mails.update(**empty)
        traces.pages.delete()
        traces.notes.update(text=_NOTE)
        ServerCallTry.objects.filter(call__in=traces.calls).update(answer="")
        for call in traces.calls:
            ServerCall.objects.filter(pk=call.pk).update(body=_without_customer(call.body))
        if erased.orders:
            audit.record(merchant, by, "customer.erased", "customer", **vars(erased))
    return erased


def _blocker(traces: _Traces) -> str:
    if traces.refunds_under_way.exists():
        return "A refund of one of the orders is under way."
    if traces.keys_under_way.exists():
        return "An activation key of one of the orders is being replaced."
    if traces.mails.filter(state__in=Message.OPEN).exists():
        return "A mail to the customer is still to be sent."
    if traces.calls.filter(state__in=ServerCall.OPEN).exists():
        return "Your server is still to be told of one of the orders."
    return ""


def _without_customer(body: str) -> str:
    if not body:
        return ""
    document = json.loads(body)
    order = document.get("order", {})
    items = [{**item, "metadata": None} for item in order.get("items") or []]
    return json.dumps({**document, "order": {**order, "customer": None, "items": items}})
