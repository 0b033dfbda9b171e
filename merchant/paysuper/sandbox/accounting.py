"""Plausible accounting of an order in the payout currency, in whole cents so that it adds up (§6.2)."""

from merchant.paysuper.sandbox.catalogue import CURRENCIES, PAYOUT_CURRENCY
from merchant.paysuper.sandbox.gojson import cents, number
from merchant.paysuper.sandbox.orders import ACCOUNTED, Order

Money = dict[str, object]

BLANK: Money = {"currency": "", "amount": 0}
_SALE_BLOCKS = (
    "gross_revenue",
    "tax_fee",
    "tax_fee_currency_exchange_fee",
    "tax_fee_total",
    "method_fee_total",
    "method_fee_tariff",
    "method_fixed_fee_tariff",
    "paysuper_fixed_fee",
    "fees_total",
    "fees_total_local",
    "net_revenue",
    "payment_gross_revenue",
)
_REFUND_BLOCKS = (
    "refund_gross_revenue",
    "method_refund_fee_tariff",
    "merchant_refund_fixed_fee_tariff",
    "refund_tax_fee",
    "refund_tax_fee_currency_exchange_fee",
    "paysuper_refund_tax_fee_currency_exchange_fee",
    "refund_reverse_revenue",
    "refund_fees_total",
    "refund_fees_total_local",
    "payment_refund_gross_revenue",
    "refund_tax_fee_total",
)
_BLANKS: dict[str, object] = dict.fromkeys(_SALE_BLOCKS + _REFUND_BLOCKS, BLANK)


def payout(amount_in_cents: int) -> Money:
    """Money in the payout currency."""
    return {"currency": PAYOUT_CURRENCY, "amount": number(amount_in_cents / 100)}


def charge(order: Order, sign: int = 1) -> Money:
    """What the customer was charged, with two decimals whatever the currency (contract §6.2)."""
    return {"currency": order.charge_currency, "amount": sign * cents(order.charge)}


def blocks(order: Order) -> dict[str, object]:
    """All money blocks of the view and `report_summary`; blank until accounted."""
    if order.private not in ACCOUNTED:
        return _BLANKS | {"report_summary": _summary(order.status, charge(order), BLANK, BLANK, BLANK, BLANK)}
    gross = round(order.charge * CURRENCIES[order.charge_currency].usd * 100)
    tax = round(gross * order.tax_rate / (1 + order.tax_rate))
    return _of_refund(order, gross, tax) if order.parent else _of_sale(order, gross, tax)


def _of_sale(order: Order, gross: int, tax: int) -> dict[str, object]:
    method = round(gross * 0.05)
    fees = method + 30
    net = gross - tax - fees
    amounts = (gross, tax, 0, tax, method, round(gross * 0.045), 15, 30, fees, fees, net, gross)
    filled = {name: payout(amount) for name, amount in zip(_SALE_BLOCKS, amounts, strict=True)}
    status = "processed" if order.refund else order.status
    summary = _summary(status, charge(order), payout(gross), payout(tax), payout(fees), payout(net))
    return _BLANKS | filled | {"report_summary": summary}


def _of_refund(order: Order, gross: int, tax: int) -> dict[str, object]:
    tariff = round(gross * 0.01)
    fees = tariff + 10
    back = gross - tax + fees
    amounts = (gross, tariff, 10, tax, 0, 0, back, fees, fees, gross, tax)
    filled = {name: payout(amount) for name, amount in zip(_REFUND_BLOCKS, amounts, strict=True)}
    summary = _summary(
        order.status, charge(order, -1), payout(-gross), payout(-tax), payout(fees), payout(-back)
    )
    return _BLANKS | filled | {"report_summary": summary}


def _summary(status: str, *money: Money) -> dict[str, object]:
    names = ("charge", "gross", "vat", "fees", "revenue")
    return {"status": status, **dict(zip(names, money, strict=True))}
