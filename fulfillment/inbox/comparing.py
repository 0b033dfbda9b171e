"""What a webhook told, beside the order as the mirror has it now."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from fulfillment.models import WebhookEvent
from merchant.money import display
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.webhook_order import WebhookOrder, webhook_order
from transactions import personal
from transactions.card import readable
from transactions.models import Transaction

# No event of PaySuper has such members (contract §17); what a game passes along may.
_SECRET = re.compile(r"secret|token|password|signature|api_?key|authorization", re.IGNORECASE)


@dataclass(frozen=True)
class Compared:
    """One field: what the webhook told, and what holds now."""

    label: str
    told: str
    now: str

    @property
    def differs(self) -> bool:
        """Whether something has changed since."""
        return self.told != self.now


def document_of(event: WebhookEvent) -> Any:
    """The body as a document with exact numbers, or None when it cannot be shown as one."""
    try:
        return json.loads(event.body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def shown(document: Any, *, with_personal_data: bool) -> str:
    """The document as people read it, without activation keys and secrets; "" when it is beyond showing."""
    try:
        allowed = document if with_personal_data else _without_person(document)
        return readable(_without_secrets(allowed)) if document is not None else ""
    except (ValueError, RecursionError, ArithmeticError):
        return ""


def _without_person(document: Any) -> Any:
    """Masked; where the object of the event is the customer in person (contract §13.9), as one."""
    subject = document.get("object") if isinstance(document, dict) else None
    if isinstance(subject, dict) and subject.get("object") == "user":
        return personal.masked({**document, "object": None}) | {
            "object": personal.masked({"user": subject})["user"]
        }
    return personal.masked(document)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "••••••" if each and _SECRET.search(name) else _without_secrets(each)
            for name, each in value.items()
        }
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


def compared(event: WebhookEvent, document: Any) -> list[Compared]:
    """Field by field; empty when the mirror does not have the order, or the body tells of none."""
    if event.order_uuid is None or not isinstance(document, dict):
        return []
    entry = Transaction.objects.filter(merchant=event.merchant_id, pk=event.order_uuid).first()
    if entry is None:
        return []
    try:
        told = webhook_order(document.get("object"))
    except Unexpected:
        return []
    return list(_rows(told, entry))


def _rows(told: WebhookOrder, entry: Transaction) -> Iterator[Compared]:
    yield Compared("Status", told.status, entry.status)
    total = display(entry.total_amount, entry.currency)
    yield Compared("Order amount", display(told.total.amount, told.total.currency), total)
    if told.charge.currency:
        charged = display(entry.charge_amount, entry.charge_currency)
        yield Compared("Charged", display(told.charge.amount, told.charge.currency), charged)
    yield Compared("Method", told.method, entry.method)
    yield Compared("Country", told.country, entry.country)
    if told.created_at:
        yield Compared("Order created", _minute(told.created_at), _minute(entry.created_at))


def _minute(instant: dt.datetime) -> str:
    return f"{timezone.localtime(instant):%d.%m.%Y, %H:%M}"
