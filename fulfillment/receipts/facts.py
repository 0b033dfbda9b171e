"""What stands on a receipt, as texts in the customer's language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cryptography.fernet import InvalidToken

from fulfillment.models import MailRule, WebhookEvent
from fulfillment.receipts.frame import Frame, around
from fulfillment.receipts.languages import Language
from merchant.paysuper import values
from merchant.paysuper.errors import Unexpected
from transactions.models import Transaction

_SMALLEST_RATE = Decimal("0.0001")


@dataclass(frozen=True)
class Line:
    """A name with an amount or another value beside it."""

    label: str
    value: str


@dataclass(frozen=True)
class Receipt(Frame):
    """A receipt of a payment or refund."""

    facts: tuple[Line, ...]
    items: tuple[Line, ...]
    sums: tuple[Line, ...]
    total: Line


def of_payment(order: Transaction, language: Language) -> Receipt:
    """The receipt of a paid order."""
    say, money, shop = language.say, language.money, MailRule.of(order.project).sender
    sums = [*_tax(order, language)]
    total = Line(say("Total"), money(order.total_amount, order.currency))
    if order.charge_currency != order.currency:
        sums.append(Line(say("Charged"), money(order.charge_amount, order.charge_currency)))
    return _receipt(
        order,
        language,
        title=say("Receipt"),
        subject=say("Your receipt from {shop}", shop=shop),
        greeting=say("Thank you for your purchase."),
        date=language.date(order.paid_at or order.created_at, order.merchant.zone),
        method=Line(say("Paid with"), _method(order)),
        sums=tuple(sums),
        total=total,
    )


def of_refund(order: Transaction, refund: Transaction, language: Language) -> Receipt:
    """The receipt of money that went back, by the refund's own row."""
    say, shop = language.say, MailRule.of(order.project).sender
    return _receipt(
        order,
        language,
        title=say("Refund"),
        subject=say("Your refund from {shop}", shop=shop),
        greeting=say("Your money is on its way back. With some banks it takes a few days to arrive."),
        date=language.date(refund.created_at, order.merchant.zone),
        method=Line(say("Refunded to"), _method(order)),
        sums=(),
        total=Line(say("Refunded"), language.money(refund.charge_amount, refund.charge_currency)),
    )


def _receipt(order: Transaction, language: Language, *, date: str, method: Line, **given: Any) -> Receipt:
    facts = [Line(language.say("Order"), str(order)), Line(language.say("Date"), date), method]
    items = (
        Line(item.name or item.sku or item.product_id, _price(item.amount, item.currency, language))
        for item in order.items.all()
    )
    return Receipt(
        **around(order, language),
        **given,
        facts=tuple(each for each in facts if each.value),
        items=tuple(items),
    )


def _price(amount: Decimal, currency: str, language: Language) -> str:
    # Of virtual currency the name may stand where the currency's code would (contract §16.1).
    is_money = len(currency) == 3 and currency.isupper()  # noqa: PLR2004 - ISO 4217
    return language.money(amount, currency) if is_money else ""


def _method(order: Transaction) -> str:
    title = order.method_title or order.method
    return f"{title} •••• {order.card_last4}" if order.card_last4 else title


def _tax(order: Transaction, language: Language) -> list[Line]:
    """The tax as the newest webhook tells it; the order itself knows it in the payout currency alone."""
    tax = _told_tax(order)
    amount, currency, rate = order.tax_amount, order.payout_currency, Decimal(0)
    if tax:
        amount, rate = _number(tax.get("amount")), _number(tax.get("rate"))
        currency = str(tax.get("currency"))
    if amount <= 0 or currency != order.currency:
        return []
    name = language.say({"vat": "VAT", "sales_tax": "Sales tax"}.get(str(tax.get("type")), "Tax"))
    label = f"{name} ({language.percent(rate)})" if _SMALLEST_RATE <= rate < 1 else name
    return [Line(label, language.money(amount, currency))]


def _told_tax(order: Transaction) -> Mapping[str, Any]:
    heard = WebhookEvent.objects.filter(
        merchant=order.merchant_id, order_uuid=order.pk, event="payment.success", testing_case=""
    )
    try:
        newest = heard.first()
    except InvalidToken:
        return {}
    document = json.loads(newest.body, parse_float=Decimal) if newest and newest.body else {}
    found = document.get("object") if isinstance(document, dict) else None
    tax = found.get("tax") if isinstance(found, dict) else None
    return tax if isinstance(tax, dict) else {}


def _number(value: object) -> Decimal:
    try:
        return values.decimal(value)
    except Unexpected:
        return Decimal(0)
