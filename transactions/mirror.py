"""The only writer of the mirror of PaySuper's orders.

Newest wins: a version is as new as the moment at which the read that brought it was sent. Applying is
idempotent and independent of the order in which answers arrive.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from merchant.models import Merchant, Project
from merchant.money import rounded
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import Money, OrderRecord
from transactions.models import Fulfilment, Item, RawOrder, Transaction

_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode

# Raise when an order is read in another way, so that unchanged documents are written once more.
_READING = b"1"

# Money that went back does not come again: PaySuper itself can fall back to an older status after a
# late acknowledgement of an old webhook (contract §13.6).
_FINAL = ("refunded", "chargeback")
_EARLIER = ("created", "pending", "processed")
_NEW_VALUE = {
    "status": f"CASE WHEN mirror.status IN {_FINAL} AND EXCLUDED.status IN {_EARLIER}"
    " THEN mirror.status ELSE EXCLUDED.status END"
}

_COLUMNS = (
    "uuid merchant_id project_id type status created_at paid_at transaction_id product skus country method "
    "method_title card_last4 customer_id customer_name customer_email is_production total_amount currency "
    "charge_amount charge_currency gross_amount tax_amount fees_amount net_amount payout_currency "
    "parent_uuid refund_receipt cancellation_code asked_at fingerprint"
).split()
_CHANGING = [name for name in _COLUMNS if name not in ("uuid", "merchant_id")]
_RAW_COLUMNS = ["transaction_id", "merchant_id", "document"]
_ITEM_COLUMNS = "merchant_id transaction_id position product_id sku name platform_id amount currency".split()


@dataclass(frozen=True)
class Applied:
    """What an application changed: entries that are new, and entries that are different now."""

    added: frozenset[UUID] = frozenset()
    changed: frozenset[UUID] = frozenset()


def apply(merchant: Merchant, orders: Iterable[OrderRecord], asked_at: dt.datetime) -> Applied:
    """Bring the mirror up to what PaySuper answered to a read sent at `asked_at` (UTC).

    An older answer never replaces a newer one, and nothing of another merchant is touched.
    """
    latest = {order.uuid: order for order in orders}
    if not latest:
        return Applied()
    with transaction.atomic():
        projects = _projects(merchant, latest.values())
        rows = [_row(merchant, projects, each, asked_at) for each in latest.values()]
        applied = _upsert(sorted(rows))
        touched = applied.added | applied.changed
        _replace_details(merchant, [order for uuid, order in latest.items() if uuid in touched])
    return applied


def differences(merchant: Merchant, orders: Sequence[OrderRecord]) -> dict[UUID, str]:
    """In words, by uuid: where the mirror says something else than these orders do."""
    stored = Transaction.objects.filter(merchant=merchant).in_bulk([order.uuid for order in orders])
    projects = {project.paysuper_id: project for project in merchant.projects.all()}
    found = {}
    for order in orders:
        entry = stored.get(order.uuid)
        if entry is None or order.project_id not in projects:
            found[order.uuid] = "at PaySuper, not in the mirror"
        elif words := _difference(entry, _row(merchant, projects, order, entry.asked_at)):
            found[order.uuid] = words
    return found


def record_fulfilment(entry: Transaction, fulfilment: Fulfilment) -> None:
    """Keep beside the mirrored order whether the customer has been given what was bought."""
    Transaction.objects.filter(pk=entry.pk).update(fulfilment=fulfilment)
    entry.fulfilment = fulfilment


def record_refund_state(entry: Transaction, state: str) -> None:
    """Keep beside the mirrored order how its latest refund request stands ("" for none)."""
    Transaction.objects.filter(pk=entry.pk).update(refund_state=state)
    entry.refund_state = state


def update_project(merchant: Merchant, paysuper_id: str, name: str) -> Project:
    """The project of this merchant under PaySuper's id, made or renamed as needed.

    Raises Unexpected when it has been connected to another merchant.
    """
    name = name[:200]
    project, _ = Project.objects.get_or_create(
        paysuper_id=paysuper_id, defaults={"merchant": merchant, "name": name or paysuper_id}
    )
    if project.merchant_id != merchant.pk:
        raise Unexpected(f"project {paysuper_id} belongs to another merchant")
    if name and project.name != name:
        project.name = name
        project.save(update_fields=["name"])
    return project


def _projects(merchant: Merchant, orders: Iterable[OrderRecord]) -> dict[str, Project]:
    known = {project.paysuper_id: project for project in merchant.projects.all()}
    for order in orders:
        if order.project_id not in known:
            known[order.project_id] = update_project(merchant, order.project_id, order.project_name)
    return known


def _row(
    merchant: Merchant, projects: dict[str, Project], order: OrderRecord, asked_at: dt.datetime
) -> tuple[Any, ...]:
    charge = _exact(order.charge) if order.charge.currency else _exact(order.total)
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
        " ".join(item.sku for item in order.items)[:1000],
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
        charge.amount,
        charge.currency[:10],
        *(_exact(each).amount for each in (order.gross, order.tax, order.fees, order.net)),
        payout[:10],
        order.parent_uuid,
        order.refund_receipt[:50],
        order.cancellation_code[:20],
        asked_at,
        hashlib.sha256(_READING + _encode(order.raw)).hexdigest(),
    )


def _difference(entry: Transaction, row: tuple[Any, ...]) -> str:
    pairs = {name: (getattr(entry, name), there) for name, there in zip(_COLUMNS, row, strict=True)}
    here, there = pairs["status"]
    if here in _FINAL and there in _EARLIER:
        del pairs["status"]  # see _NEW_VALUE: kept on purpose
    return ", ".join(
        f"{name} is {mine}, at PaySuper {theirs}" for name, (mine, theirs) in pairs.items() if mine != theirs
    )


def _exact(money: Money) -> Money:
    return Money(rounded(money.amount, money.currency), money.currency)


def _product(order: OrderRecord) -> str:
    """What was bought, in short: "Checkout" is PaySuper's word for a sum without items (contract §10)."""
    names = [item.name or item.sku or item.id for item in order.items]
    if not names:
        return "Checkout"
    return names[0] if len(names) == 1 else f"{names[0]} + {len(names) - 1} more"


def _upsert(rows: Sequence[tuple[Any, ...]]) -> Applied:
    columns = ", ".join(_COLUMNS)
    changes = ", ".join(f"{name} = {_NEW_VALUE.get(name, f'EXCLUDED.{name}')}" for name in _CHANGING)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS news"
            " (LIKE transactions_transaction INCLUDING DEFAULTS) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE news")
        _copy(cursor, "news", _COLUMNS, rows)
        cursor.execute(
            f"INSERT INTO transactions_transaction AS mirror ({columns})"  # noqa: S608 - own names
            f" SELECT {columns} FROM news ORDER BY uuid"
            f" ON CONFLICT (uuid) DO UPDATE SET {changes}"
            " WHERE mirror.merchant_id = EXCLUDED.merchant_id AND mirror.asked_at < EXCLUDED.asked_at"
            " AND mirror.fingerprint <> EXCLUDED.fingerprint"
            " RETURNING uuid, xmax = 0"
        )
        touched = cursor.fetchall()
        # The same answer once more: it is as new as this question, so that no answer in between replaces it.
        cursor.execute(
            "UPDATE transactions_transaction AS mirror SET asked_at = news.asked_at FROM news"
            " WHERE mirror.uuid = news.uuid AND mirror.merchant_id = news.merchant_id"
            " AND mirror.asked_at < news.asked_at AND mirror.fingerprint = news.fingerprint"
        )
    return Applied(
        added=frozenset(uuid for uuid, is_new in touched if is_new),
        changed=frozenset(uuid for uuid, is_new in touched if not is_new),
    )


def _replace_details(merchant: Merchant, orders: Sequence[OrderRecord]) -> None:
    uuids = [order.uuid for order in orders]
    Item.objects.filter(transaction__in=uuids).delete()
    RawOrder.objects.filter(transaction__in=uuids).delete()
    items = [
        (
            merchant.pk,
            order.uuid,
            position,
            item.id[:50],
            item.sku[:255],
            item.name[:500],
            item.platform_id[:50],
            rounded(item.price.amount, item.price.currency),
            item.price.currency[:50],
        )
        for order in orders
        for position, item in enumerate(order.items)
    ]
    documents = [(order.uuid, merchant.pk, _encode(order.raw).decode()) for order in orders]
    with connection.cursor() as cursor:
        _copy(cursor, "transactions_item", _ITEM_COLUMNS, items)
        _copy(cursor, "transactions_raworder", _RAW_COLUMNS, documents)


def _copy(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
