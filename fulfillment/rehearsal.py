"""What a refund will do, told before it is asked for, from the mirrored figures of the payment."""

from dataclasses import dataclass
from decimal import Decimal

from fulfillment import amounts
from merchant.access import Right, roles_with
from merchant.models import Membership, RefundRules, Role
from merchant.money import display, rounded
from transactions.models import Fulfilment, RowType, Transaction


@dataclass(frozen=True)
class Figure:
    """A labelled amount as text."""

    label: str
    text: str
    is_sum: bool


def figures(entry: Transaction, amount: Decimal) -> list[Figure]:
    """What leaves the merchant's account, in its payout currency; empty until PaySuper has accounted.

    A refund takes back the gross revenue without its tax. The fees of the payment stay with PaySuper, which
    charges for the refund too: that fee is known only afterwards (contract §6.2, §7.5).
    """
    if not entry.payout_currency or entry.gross_amount <= 0:
        return []
    share = amount / entry.charge_amount
    currency = entry.payout_currency
    gross, tax = (rounded(each * share, currency) for each in (entry.gross_amount, entry.tax_amount))
    found = [
        ("Gross revenue that goes back", gross, False),
        ("Tax in it, which PaySuper returns", tax, False),
        ("Taken from your revenue", gross - tax, True),
        ("Fees of the payment, kept by PaySuper", entry.fees_amount, False),
    ]
    return [Figure(label, display(each, currency), is_sum) for label, each, is_sum in found]


def sentences(entry: Transaction, amount: Decimal, rules: RefundRules, membership: Membership) -> list[str]:
    """What happens, and what does not."""
    told = [_first(entry, amount, rules, membership), _fee(entry)]
    keys = entry.items.exclude(platform_id="").count()
    if keys:
        what = "activation key stays" if keys == 1 else "activation keys stay"
        told.append(f"{keys} {what} with the customer: PaySuper does not take keys back.")
    if entry.fulfilment == Fulfilment.FULFILLED:
        told.append("The order stays marked as fulfilled: goods are not taken back by themselves.")
    told.append("We send the customer no mail about it; PaySuper may send a receipt of its own.")
    return told


def approvers() -> str:
    """Who may be the second person, in words."""
    words = {Role.OWNER: "an owner", Role.DEVELOPER: "a developer"}
    return " or ".join(words.get(role, role.label) for role in roles_with(Right.APPROVE))


def _first(entry: Transaction, amount: Decimal, rules: RefundRules, membership: Membership) -> str:
    """What happens when the button has been pressed."""
    seconds = rules.undo_seconds
    undo = f" It leaves {seconds} seconds later, and can be taken back until then." if seconds else ""
    if amounts.needs_approval(entry, amount, rules, membership.role):
        return f"Above your limit: a second person, {approvers()}, must approve it.{undo}"
    return f"PaySuper takes minutes, sometimes days: the order's page follows it.{undo}"


def _fee(entry: Transaction) -> str:
    """The refund fee, which is known only afterwards: what it was the last time."""
    refunds = Transaction.objects.filter(
        merchant=entry.merchant_id, type=RowType.REFUND, payout_currency=entry.payout_currency
    )
    last = (
        refunds.filter(gross_amount__gt=0).order_by("-created_at").first() if entry.payout_currency else None
    )
    if last is None:
        return "PaySuper charges a fee for the refund itself, which is known only afterwards."
    fee, gross = (display(each, last.payout_currency) for each in (last.fees_amount, last.gross_amount))
    return f"PaySuper charges a fee for the refund itself; on your last one, of {gross}, it was {fee}."
