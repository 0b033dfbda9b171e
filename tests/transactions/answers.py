"""PaySuper's answers in several versions, and what the mirror makes of them, for tests."""

import copy
import datetime as dt
import uuid
from typing import Any

from django.db import connection

from merchant.paysuper import records
from merchant.paysuper.records import OrderRecord
from tests.merchant.examples import load, order
from transactions import activation_keys
from transactions.models import Item, RawOrder, Transaction

START = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)


def at(minute: int) -> dt.datetime:
    return START + dt.timedelta(minutes=minute)


def version(**changes: object) -> OrderRecord:
    return records.order(order(**changes))


def three_items(**changes: object) -> dict[str, Any]:
    return load("admin.order.product.processed.three-items.json") | changes


def row_versions() -> dict[uuid.UUID, str]:
    """What PostgreSQL changes whenever a row is written: its place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT uuid, ctid::text FROM transactions_transaction")
        return dict(cursor.fetchall())


def with_keys(document: dict[str, Any]) -> dict[str, Any]:
    """A kept document with its activation keys, which lie sealed, as PaySuper gave them."""
    items = copy.deepcopy(document.get("items") or [])
    for item in items:
        if activation_keys.is_there(item):
            item["code"] = activation_keys.opened(item)
    return {**document, "items": items} if items else document


def state() -> list[Any]:
    """The whole mirror but for the moments of asking."""
    entries = Transaction.objects.order_by("pk").values()
    return [
        [{name: value for name, value in entry.items() if name != "asked_at"} for entry in entries],
        list(
            Item.objects.order_by("transaction_id", "position").values_list(
                "transaction_id", "name", "amount"
            )
        ),
        [(raw.pk, with_keys(raw.document)) for raw in RawOrder.objects.order_by("pk")],
    ]
