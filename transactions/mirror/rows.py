"""What an order becomes in the mirror's narrow table, and where the two differ."""

import datetime as dt
import hashlib
from typing import Any

from merchant.models import Merchant, Project
from merchant.money import rounded
from merchant.paysuper.records import Money, OrderRecord
from transactions.models import Transaction

# Raise when an order is read in another way, so that unchanged documents are written once more.
_READING = b"2"

# PaySuper's word for a sum without items (contract §10).
_NO_ITEMS = "Checkout"

# Money that went back does not come again: PaySuper itself can fall back to an older status after a
# late acknowledgement of an old webhook (contract §13.6).
FINAL = ("refunded", "chargeback")
EARLIER = ("created", "pending", "processed")

COLUMNS = (
    "uuid merchant_id project_id type status created_at paid_at transaction_id product bought country method "
    "method_title card_last4 customer_id customer_name customer_email is_production total_amount currency "
    "charge_amount charge_currency gross_amount tax_amount fees_amount net_amount payout_currency "
    "parent_uuid refund_receipt cancellation_code asked_at fingerprint"
).split()


def row(
    merchant: Merchant, projects: dict[str, Project], order: OrderRecord, asked_at: dt.datetime
) -> tuple[Any, ...]:
    """The values of COLUMNS for an order; amounts rounded to their currency."""
    charged = _exact(order.charge if order.charge.currency else order.total)
    payout = order.gross.currency or order.net.currency
    return (
        order.uuid,
        merchant.pk,
        projects[order.project_id].pk,
        order.type[:20],
        order.status[:20],
        order.created_at,
        order.paid_at,
        order.transaction[:200],
        _product(order)[:500],
        _bought(order),
        order.country[:10],
        order.method[:50],
        order.method_title[:100],
        order.card_last4[:10],
        order.customer_id[:255],
        order.customer_name[:500],
        order.customer_email[:320],
        order.is_production,
        _exact(order.total).amount,
        order.total.currency[:10],
        charged.amount,
        charged.currency[:10],
        *(_exact(each).amount for each in (order.gross, order.tax, order.fees, order.net)),
        payout[:10],
        order.parent_uuid,
        order.refund_receipt[:50],
        order.cancellation_code[:20],
        asked_at,
        hashlib.sha256(_READING + order.document).hexdigest(),
    )


def customer(order: OrderRecord) -> dict[str, str]:
    """What an order says of its customer, as its columns have it."""
    return {
        "card_last4": order.card_last4[:10],
        "customer_id": order.customer_id[:255],
        "customer_name": order.customer_name[:500],
        "customer_email": order.customer_email[:320],
    }


def difference(entry: Transaction, values: tuple[Any, ...]) -> str:
    """In words: where an entry says something else than these values; "" when it does not."""
    pairs = {name: (getattr(entry, name), there) for name, there in zip(COLUMNS, values, strict=True)}
    here, there = pairs["status"]
    if here in FINAL and there in EARLIER:
        del pairs["status"]  # kept on purpose
    return ", ".join(
        f"{name} is {mine}, at PaySuper {theirs}" for name, (mine, theirs) in pairs.items() if mine != theirs
    )


def _exact(money: Money) -> Money:
    return Money(rounded(money.amount, money.currency), money.currency)


def _bought(order: OrderRecord) -> str:
    """Names and SKUs of all items, as their rows keep them; of an item without either its id."""
    names = (f"{item.name[:500]}\n{item.sku[:255]}".strip("\n") or item.id[:50] for item in order.items)
    return "\n".join(names) or _NO_ITEMS


def _product(order: OrderRecord) -> str:
    """What was bought, in short."""
    names = [item.name or item.sku or item.id for item in order.items]
    if not names:
        return _NO_ITEMS
    return names[0] if len(names) == 1 else f"{names[0]} + {len(names) - 1} more"
