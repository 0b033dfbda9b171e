"""PaySuper's accounting as a sum that can be read from top to bottom (contract §6.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from transactions.card.facts import Document, Fact, amount, money
from transactions.models import RowType, Transaction


@dataclass(frozen=True)
class Line:
    """One line of a sum, with its sign; the amount is in the sum's currency."""

    label: str
    amount: Decimal
    is_total: bool = False


@dataclass(frozen=True)
class Accounting:
    """From gross to net in the payout currency, and the tariffs behind the fees."""

    currency: str
    lines: list[Line]
    tariffs: list[Fact]


# Label, member, and whether it adds to the merchant's revenue or is taken from it.
_SALE = (
    ("Gross revenue", "gross_revenue", 1),
    ("Tax", "tax_fee_total", -1),
    ("Method fee", "method_fee_total", -1),
    ("Fixed fee", "paysuper_fixed_fee", -1),
)
_REFUND = (
    ("Refunded gross revenue", "refund_gross_revenue", -1),
    ("Tax given back", "refund_tax_fee_total", 1),
    ("Method refund fee", "method_refund_fee_tariff", -1),
    ("Fixed refund fee", "merchant_refund_fixed_fee_tariff", -1),
)
_TARIFFS = (
    ("Method tariff", "method_fee_tariff"),
    ("Fixed method tariff", "method_fixed_fee_tariff"),
    ("Currency exchange in the tax", "tax_fee_currency_exchange_fee"),
    ("Currency exchange in the tax", "refund_tax_fee_currency_exchange_fee"),
    ("Fees total", "fees_total"),
    ("Fees total", "refund_fees_total"),
    ("Fees total, local", "fees_total_local"),
    ("Fees total, local", "refund_fees_total_local"),
)


def accounting(entry: Transaction, document: Document, refunds: Iterable[Transaction]) -> Accounting | None:
    """The sum of an entry, with what its refunds took from it; None until PaySuper has accounted it."""
    is_refund = entry.type == RowType.REFUND
    gross = money(document.get("refund_gross_revenue" if is_refund else "gross_revenue"))
    net = money(document.get("refund_reverse_revenue" if is_refund else "net_revenue"))
    if not gross.currency or gross.currency != net.currency:
        return None
    total = -net.amount if is_refund else net.amount
    lines = _lines(_with_old_tax(document), _REFUND if is_refund else _SALE, gross.currency)
    if rest := total - sum(line.amount for line in lines):
        lines.append(Line("Rounding and other", rest))
    lines.append(Line("Taken from your revenue" if is_refund else "Net revenue", total, is_total=True))
    given_back = [Line(f"Refund {each.refund_receipt}".strip(), -each.net_amount) for each in refunds
                  if each.payout_currency == gross.currency]  # fmt: skip
    if given_back:
        total += sum(line.amount for line in given_back)
        lines += [*given_back, Line("Net after refunds", total, is_total=True)]
    return Accounting(gross.currency, lines, _tariffs(document))


def _lines(document: Document, members: Iterable[tuple[str, str, int]], currency: str) -> list[Line]:
    found = [(label, money(document.get(name)), sign) for label, name, sign in members]
    return [Line(label, sign * each.amount) for label, each, sign in found if each.currency == currency]


def _with_old_tax(document: Document) -> Document:
    # 2019 has no total of a refund's tax.
    return {
        **document,
        "refund_tax_fee_total": document.get("refund_tax_fee_total") or document.get("refund_tax_fee"),
    }


def _tariffs(document: Document) -> list[Fact]:
    """What stands behind the lines; nothing that is zero."""
    found = {name: money(document.get(name)) for _, name in _TARIFFS}
    for name in ("fees_total", "refund_fees_total"):
        if found[f"{name}_local"].currency == found[name].currency:
            del found[f"{name}_local"]
    return [amount(label, document[name]) for label, name in _TARIFFS if name in found and found[name].amount]
