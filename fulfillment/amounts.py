"""How much of a charge can still go back, and when an amount needs a second person."""

from decimal import Decimal

from fulfillment.models import Action
from merchant.models import RefundRules
from merchant.money import rounded
from merchant.paysuper import records
from transactions.models import RawOrder, Transaction


def left(entry: Transaction, rules: RefundRules) -> Decimal:
    """What may be given back now, in the charge currency.

    The whole charge, less the parts that went back already where PaySuper honours parts (contract §7.1).
    """
    return entry.charge_amount - returned(entry) if rules.honours_parts else entry.charge_amount


def returned(entry: Transaction) -> Decimal:
    """What has gone back already: PaySuper's refund rows, and our refunds whose rows have not arrived yet."""
    rows = RawOrder.objects.filter(transaction__merchant=entry.merchant_id, transaction__parent_uuid=entry.pk)
    blocks = [document.get("refund") or {} for document in rows.values_list("document", flat=True)]
    known = [str(block.get("receipt_number", "")) for block in blocks]
    ours = entry.actions.filter(kind=Action.Kind.REFUND, state=Action.State.REFUNDED)
    amounts = ours.exclude(paysuper_refund_id__in=known).values_list("amount", flat=True)
    total = sum((records.money(block).amount for block in blocks), Decimal(0)) + sum(filter(None, amounts))
    return rounded(total, entry.charge_currency)


def needs_approval(entry: Transaction, amount: Decimal, rules: RefundRules, role: str) -> bool:
    """Whether a refund of this amount by this role needs a second person.

    Parts that went back earlier count too: many small refunds are one large one. What cannot be compared
    with the limit, for want of a rate, needs a second person.
    """
    limit = rules.limit_of(role)
    if limit is None:
        return False
    compared = in_currency(
        entry, amount + (returned(entry) if rules.honours_parts else 0), rules.limit_currency
    )
    return compared is None or compared > limit


def in_currency(entry: Transaction, amount: Decimal, currency: str) -> Decimal | None:
    """A part of the charge in this currency, by PaySuper's own accounting of the payment; None without one.

    PaySuper converted the charge into the payout currency (gross revenue): no rate of ours is needed.
    """
    if currency == entry.charge_currency:
        return amount
    if currency == entry.payout_currency and entry.gross_amount > 0 and entry.charge_amount > 0:
        return rounded(amount * entry.gross_amount / entry.charge_amount, currency)
    return None
