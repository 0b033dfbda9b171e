"""What stands on a receipt, as texts in the customer's language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cryptography.fernet import InvalidToken

from fulfillment.models import MailRule, WebhookEvent
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
class Receipt:
    """A receipt of a payment or refund. `note` is for the customer of a test payment."""

    language: Language
    title: str
    subject: str
    greeting: str
    shop: str
    support: str
    support_email: str
    has_logo: bool
    facts: tuple[Line, ...]
    items: tuple[Line, ...]
    sums: tuple[Line, ...]
    total: Line
    note: str


def of_payment(order: Transaction, language: Language) -> Receipt:
    """The receipt of a paid order."""
    say, money = language.say, language.money
    sums = [*_tax(order, language)]
    total = Line(say("Total"), money(order.total_amount, order.currency))
    if order.charge_currency != order.currency:
        sums.append(Line(say("Charged"), money(order.charge_amount, order.charge_currency)))
    return _receipt(
        order,
        language,
        title=say("Receipt"),
        subject=say("Your receipt from {shop}", shop=_shop(order)),
        greeting=say("Thank you for your purchase."),
        date=language.date(order.paid_at or order.created_at, order.merchant.zone),
        method=Line(say("Paid with"), _method(order)),
        sums=tuple(sums),
        total=total,
    )


def of_refund(order: Transaction, refund: Transaction, language: Language) -> Receipt:
    """The receipt of money that went back, by the refund's own row."""
    say = language.say
    return _receipt(
        order,
        language,
        title=say("Refund"),
        subject=say("Your refund from {shop}", shop=_shop(order)),
        greeting=say("Your money is on its way back. Depending on your bank, it may take some days to arrive."),
        date=language.date(refund.created_at, order.merchant.zone),
        method=Line(say("Refunded to"), _method(order)),
        sums=(),
        total=Line(say("Refunded"), language.money(refund.charge_amount, refund.charge_currency)),
    )


def _receipt(
    order: Transaction, language: Language, *, date: str, method: Line, **texts: Any
) -> Receipt:
    rule, say = MailRule.of(order.project), language.say
    facts = [Line(say("Order"), str(order)), Line(say("Date"), date), method]
    support = say("Questions? Write to {address}.", address=rule.support_email) if rule.support_email else ""
    return Receipt(
        language=language,
        shop=rule.sender,
        support=support,
        support_email=rule.support_email,
        has_logo=bool(rule.logo),
        facts=tuple(each for each in facts if each.value),
        items=tuple(
            Line(item.name or item.sku or item.product_id, _price(item.amount, item.currency, language))
            for item in order.items.all()
        ),
        note="" if order.is_production else say("This was a test: no money was moved."),
        **texts,
    )


def _shop(order: Transaction) -> str:
    return MailRule.of(order.project).sender


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
        amount, currency, rate = _number(tax.get("amount")), str(tax.get("currency")), _number(tax.get("rate"))
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
    document = json.loads(newest.body, parse_float=Decimal) if newest else {}
    found = document.get("object") if isinstance(document, dict) else None
    tax = found.get("tax") if isinstance(found, dict) else None
    return tax if isinstance(tax, dict) else {}


def _number(value: object) -> Decimal:
    try:
        return values.decimal(value)
    except Unexpected:
        return Decimal(0)
