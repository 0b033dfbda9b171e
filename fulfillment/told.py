"""What only webhooks tell of an order: receipts, tax, and what the game passed along (contract §17)."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cryptography.fernet import InvalidToken

from fulfillment.inbox import PAYMENT_EVENTS
from fulfillment.models import WebhookEvent
from merchant.access import Right, may
from merchant.models import Membership
from merchant.money import display
from merchant.paysuper import values
from transactions import personal
from transactions.card import Fact, Section
from transactions.card.facts import amount, copied, filled, part, plain, said
from transactions.models import Transaction

_SMALLEST_RATE = Decimal("0.0001")
_UNREADABLE = Fact("From the webhook", "Not readable: it was kept under a key that is not in use any more.")
_KINDS = {
    "simple": "Payment without items",
    "product": "Products",
    "key": "Activation keys",
    "virtual_currency": "Virtual currency",
}


def told(entry: Transaction, membership: Membership) -> list[Section]:
    """What the newest webhook of an order says beyond the order itself, masked as the role needs."""
    heard = WebhookEvent.objects.filter(
        merchant=entry.merchant_id, order_uuid=entry.pk, event__in=PAYMENT_EVENTS, testing_case=""
    )
    try:
        newest = heard.first()
    except InvalidToken:
        return [Section("Receipt and tax", [_UNREADABLE])]
    order = part(json.loads(newest.body, parse_float=Decimal), "object") if newest and newest.body else {}
    if not may(membership, Right.PERSONAL):
        order = personal.masked(order)
    metadata = part(order, "metadata")
    found = [
        filled("Receipt and tax", *_receipt(order), *_tax(entry, order)),
        filled("Passed along by the game", *(copied(name, value) for name, value in metadata.items())),
    ]
    return [each for each in found if each.facts]


def _receipt(order: Mapping[str, Any]) -> Iterator[Fact]:
    yield plain("Sold as", _KINDS.get(str(order.get("type")), order.get("type")))
    yield plain("Platform", order.get("platform_id"))
    yield plain("Description", order.get("description"))
    yield plain("Receipt", order.get("receipt_url"), "link")
    yield copied("Receipt number", order.get("receipt_number"), "mono")
    yield copied("Receipt ID", order.get("receipt_id"), "mono")
    yield copied("Receipt sent to", order.get("receipt_email"))
    yield plain("Receipt sent by phone to", order.get("receipt_phone"))
    yield plain("Told of sales at", order.get("notify_sale_email"))
    yield said("Agreement accepted", order.get("agreement_accepted"))
    yield plain("Agreement version", order.get("agreement_version"))
    yield Fact("Canceled", values.instant(order.get("canceled_at")), "instant")
    yield Fact("Refunded", values.instant(order.get("refunded_at")), "instant")
    yield said("Recurring", order.get("recurring"))
    yield plain("Kind of form", order.get("form_mode"))


def _tax(entry: Transaction, order: Mapping[str, Any]) -> Iterator[Fact]:
    tax = part(order, "tax")
    yield _amount("Price before tax", order, "original_amount", "currency")
    yield _amount(_tax_label(tax), tax, "amount", "currency")
    # The order itself has two decimals for every currency (contract §6.2).
    exact = _amount("Charged, to the last decimal", order, "charge_amount", "charge_currency")
    if exact.value != display(entry.charge_amount, entry.charge_currency):
        yield exact


def _amount(label: str, source: Mapping[str, Any], name: str, currency: str) -> Fact:
    known = source.get(name) is not None
    return amount(label, {"amount": source[name], "currency": source.get(currency)} if known else None)


def _tax_label(tax: Mapping[str, Any]) -> str:
    name = {"vat": "VAT", "sales_tax": "Sales tax"}.get(str(tax.get("type")), "Tax")
    rate = tax.get("rate")
    if not isinstance(rate, Decimal) or not _SMALLEST_RATE <= rate < 1:
        return name
    return f"{name} ({(rate * 100).normalize():f}%)"
