"""When an action is offered, and in which words it is not (contract §20 no. 6)."""

from collections.abc import Mapping
from typing import Any

from fulfillment import amounts
from fulfillment.models import OPEN_REFUNDS, Action, KeyReplacement
from merchant.access import Right, may
from merchant.models import Membership, Merchant, RefundRules, User
from transactions.models import Fulfilment, RowType, Status, Transaction

# The only method that PaySuper gives money back through (contract §7.2).
REFUNDABLE_METHOD = "BANKCARD"
REFUND_UNDER_WAY = frozenset(OPEN_REFUNDS)
# What stands in place of a refund's state while a key is replaced, and for ever after (contract §8.1).
KEY_REPLACING, KEY_REPLACED = "replacing_key", "key_replaced"
_NO_REFUND = {
    KEY_REPLACING: "An activation key of this order is being replaced.",
    KEY_REPLACED: "An activation key of this order was replaced: PaySuper refunds it no more.",
}
HANDED_OVER = (Fulfilment.PARTLY, Fulfilment.FULFILLED)

Row = Transaction | Mapping[str, Any]


def refund_blocker(row: Row, membership: Membership) -> str:
    """Why no refund can be asked for, as a sentence for the person; "" when it can.

    PaySuper has the last word.
    """
    if not may(membership, Right.REFUND):
        return "Your role may not refund."
    if value(row, "type") != RowType.ORDER:
        return "This entry is a refund itself."
    if value(row, "refund_state") in REFUND_UNDER_WAY:
        return "A refund of this order is already under way."
    return order_blocker(row)


def order_blocker(row: Row) -> str:
    """Why the order itself cannot be refunded, whoever asks; "" when it can."""
    match value(row, "status"):
        case Status.PROCESSED:
            pass
        case Status.REFUNDED:
            return "This order has been refunded."
        case Status.CHARGEBACK:
            return "This order was charged back."
        case _:
            return "Only processed orders can be refunded."
    if words := _NO_REFUND.get(value(row, "refund_state")):
        return words
    if value(row, "method") != REFUNDABLE_METHOD:
        return "PaySuper refunds bank cards only."
    return "" if value(row, "charge_amount") > 0 else "Nothing was charged."


def decision_blocker(action: Action, membership: Membership) -> str:
    """Why this person cannot approve or reject the refund, as a sentence; "" when they can."""
    if not may(membership, Right.APPROVE):
        return "Your role may not approve refunds."
    if action.state != Action.State.AWAITING_APPROVAL:
        return "This refund no longer waits for approval."
    if action.requested_by_id == membership.user_id:
        return "You asked for this refund yourself: somebody else must decide."
    return ""


def requester_blocker(action: Action) -> str:
    """Why a refund must not go on because of who asked for it, as a sentence; "" when it may."""
    if _may_still(action.requested_by, action.merchant, Right.REFUND):
        return ""
    return "Who asked for this refund is not allowed to refund any more."


def leaving_blocker(action: Action) -> str:
    """Why a refund that was asked for must not leave now, as a sentence; "" when it may.

    What was true when it was asked for must be true when money moves: people leave, orders are charged
    back, and a PaySuper that honours no parts gives back the whole charge (contract §7.1).
    """
    if words := requester_blocker(action):
        return words
    if action.decided_by and not _may_still(action.decided_by, action.merchant, Right.APPROVE):
        return "Who approved this refund is not allowed to approve any more."
    entry = Transaction.objects.get(pk=action.transaction_id)
    policy, amount = RefundRules.of(action.merchant), action.amount or entry.charge_amount
    if amount < entry.charge_amount and not policy.honours_parts:
        return "PaySuper gives back the whole charge only."
    asker = _member(action.requested_by, action.merchant)
    if asker and not action.decided_by and amounts.needs_approval(entry, amount, policy, asker.role):
        return "By now this refund needs the approval of a second person."
    return order_blocker(entry)


def _may_still(user: User | None, merchant: Merchant, right: Right) -> bool:
    member = _member(user, merchant)
    return member is not None and may(member, right)


def _member(user: User | None, merchant: Merchant) -> Membership | None:
    return Membership.objects.filter(user=user, merchant=merchant, user__is_active=True).first()


def fulfil_blocker(row: Row, membership: Membership) -> str:
    """Why the order cannot be fulfilled, as a sentence for the person; "" when it can."""
    if not may(membership, Right.FULFIL):
        return "Your role may not fulfil."
    if value(row, "type") != RowType.ORDER:
        return "This entry is a refund."
    if value(row, "fulfilment") == Fulfilment.FULFILLED:
        return "This order is fulfilled."
    if value(row, "fulfilment") == Fulfilment.WITHDRAWN:
        return "What was handed over has been withdrawn."
    if value(row, "refund_state") in REFUND_UNDER_WAY:
        return "A refund of this order is under way."
    return "" if value(row, "status") == Status.PROCESSED else "Only processed orders can be fulfilled."


def unfulfil_blocker(row: Row, membership: Membership) -> str:
    """Why fulfilment cannot be undone, as a sentence for the person; "" when it can."""
    if not may(membership, Right.FULFIL):
        return "Your role may not fulfil."
    if value(row, "fulfilment") == Fulfilment.WITHDRAWN:
        return "What was handed over has been withdrawn: undo that first."
    return "" if value(row, "fulfilment") in HANDED_OVER else "This order is not fulfilled."


def needs_withdrawal(row: Row) -> bool:
    """Whether the money went back while the goods are out."""
    is_paid_back = value(row, "status") in (Status.REFUNDED, Status.CHARGEBACK)
    return is_paid_back and value(row, "type") == RowType.ORDER and value(row, "fulfilment") in HANDED_OVER


def withdraw_blocker(row: Row, membership: Membership) -> str:
    """Why a fulfilment cannot be withdrawn, as a sentence for the person; "" when it can."""
    if not may(membership, Right.FULFIL):
        return "Your role may not fulfil."
    if value(row, "fulfilment") == Fulfilment.WITHDRAWN:
        return "What was handed over has been withdrawn."
    if value(row, "fulfilment") not in HANDED_OVER:
        return "This order is not fulfilled."
    return "" if needs_withdrawal(row) else "Only what was refunded or charged back is withdrawn."


def restore_blocker(row: Row, membership: Membership) -> str:
    """Why a withdrawal cannot be undone, as a sentence for the person; "" when it can."""
    if not may(membership, Right.FULFIL):
        return "Your role may not fulfil."
    return "" if value(row, "fulfilment") == Fulfilment.WITHDRAWN else "This order is not withdrawn."


def replace_blocker(entry: Transaction, membership: Membership) -> str:
    """Why no activation key can be replaced, as a sentence for the person; "" when one can."""
    if not may(membership, Right.REPLACE_KEYS):
        return "Your role may not replace activation keys."
    if entry.refund_state == KEY_REPLACING:
        return "A key of this order is being replaced already."
    return _replacement_blocker(entry)


def replacement_leaving_blocker(replacement: KeyReplacement) -> str:
    """Why a replacement that was asked for must not leave now, as a sentence; "" when it may."""
    if not _may_still(replacement.requested_by, replacement.merchant, Right.REPLACE_KEYS):
        return "Who asked for this is not allowed to replace keys any more."
    return _replacement_blocker(replacement.transaction)


def _replacement_blocker(entry: Transaction) -> str:
    if not entry.merchant.staff_token:
        return "PaySuper replaces keys for its own staff only. Ask PaySuper's support for a new key."
    if entry.type != RowType.ORDER or entry.status != Status.PROCESSED:
        return "Only processed orders can have a key replaced."
    return "A refund of this order is under way." if entry.refund_state in REFUND_UNDER_WAY else ""


def value(row: Row, name: str) -> Any:
    """A value of a row, whether it has been read as a whole transaction or as plain values."""
    return row[name] if isinstance(row, Mapping) else getattr(row, name)
