"""The SQL that brings orders into the mirror's tables."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from merchant import walls
from merchant.models import Merchant
from merchant.money import rounded
from merchant.paysuper.records import OrderRecord
from transactions import activation_keys
from transactions.mirror.rows import COLUMNS, EARLIER, FINAL
from transactions.mirror.totals import ROLL_UP, SUMMED, WRITERS_LOCK

_CHANGING = [name for name in COLUMNS if name not in ("uuid", "merchant_id")]
_NEW_VALUE = {
    "status": f"CASE WHEN mirror.status IN {FINAL} AND EXCLUDED.status IN {EARLIER}"
    " THEN mirror.status ELSE EXCLUDED.status END"
}
_RAW_COLUMNS = ["transaction_id", "merchant_id", "document"]
_ITEM_COLUMNS = "merchant_id transaction_id position product_id sku name platform_id amount currency".split()

# Where a page is written, COPY into a table of its own is quickest. For an order or two that table would cost
# more than all the rest, and each leaves seventy dead rows in the catalogue.
_FEW = 20
_TABLE = """
CREATE TEMPORARY TABLE IF NOT EXISTS news (LIKE transactions_transaction INCLUDING DEFAULTS) ON COMMIT DROP;
TRUNCATE news
"""
_READ = "news AS (SELECT * FROM jsonb_populate_recordset(NULL::transactions_transaction, %(news)s::jsonb)),"
# `before` is what the entries said: it is read as of the beginning of the statement.
_UPSERT = f"""
WITH {{news}} before AS (
    SELECT mirror.* FROM transactions_transaction AS mirror JOIN news USING (uuid)
), written AS (
    INSERT INTO transactions_transaction AS mirror ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM news ORDER BY uuid
    ON CONFLICT (uuid) DO UPDATE SET
        {", ".join(f"{name} = {_NEW_VALUE.get(name, f'EXCLUDED.{name}')}" for name in _CHANGING)}
    WHERE mirror.merchant_id = EXCLUDED.merchant_id AND mirror.asked_at < EXCLUDED.asked_at
        AND mirror.fingerprint <> EXCLUDED.fingerprint
    RETURNING uuid, xmax = 0 AS is_new, {", ".join(SUMMED)}
), noted AS (
    INSERT INTO transactions_statuschange (merchant_id, transaction_id, before, after, cause, at)
    SELECT written.merchant_id, uuid, before.status, written.status, %(cause)s, %(asked_at)s
    FROM written JOIN before USING (uuid) WHERE written.status <> before.status
), {ROLL_UP}
SELECT uuid, is_new FROM written
"""
# The same answer once more: it is as new as this question, so that no answer in between replaces it.
_ASKED_AGAIN = """
WITH {news} known AS (
    SELECT mirror.uuid, news.asked_at FROM transactions_transaction AS mirror JOIN news USING (uuid)
    WHERE mirror.merchant_id = news.merchant_id
        AND mirror.asked_at < news.asked_at AND mirror.fingerprint = news.fingerprint
)
UPDATE transactions_transaction AS mirror SET asked_at = known.asked_at FROM known
WHERE mirror.uuid = known.uuid
"""


def upsert(
    merchant: Merchant, rows: Sequence[tuple[Any, ...]], asked_at: dt.datetime, cause: str
) -> list[tuple[UUID, bool]]:
    """Write what is new and newer, with its totals and changes of status; the uuids written, and whether
    each was added.

    To be called in a transaction. Writers of one merchant wait for each other, which keeps totals right and
    makes deadlocks impossible.
    """
    values: dict[str, str | dt.datetime] = {"zone": merchant.time_zone, "cause": cause, "asked_at": asked_at}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [WRITERS_LOCK, merchant.pk])
        if is_few := len(rows) <= _FEW:
            values["news"] = msgspec.json.encode(
                [dict(zip(COLUMNS, row, strict=True)) for row in rows]
            ).decode()
        else:
            cursor.execute(_TABLE)
            _copy(cursor, "news", COLUMNS, rows)
        news = _READ if is_few else ""
        cursor.execute(_UPSERT.format(news=news), values)
        written: list[tuple[UUID, bool]] = cursor.fetchall()
        if sum(is_new for _, is_new in written) < len(rows):
            cursor.execute(_ASKED_AGAIN.format(news=news), values)
    return written


def remove_details(uuids: Collection[UUID]) -> None:
    """Drop the items and documents of these orders."""
    if not uuids:
        return
    with connection.cursor() as cursor:
        # One array, where Django would write a parameter for each: that is most of the time of this.
        cursor.execute("DELETE FROM transactions_item WHERE transaction_id = ANY(%s)", [list(uuids)])
        cursor.execute("DELETE FROM transactions_raworder WHERE transaction_id = ANY(%s)", [list(uuids)])


def add_details(merchant: Merchant, orders: Sequence[OrderRecord]) -> None:
    """Write the items and documents of these orders, which have none."""
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
    documents = [(order.uuid, merchant.pk, activation_keys.document_of(order)) for order in orders]
    with connection.cursor() as cursor, walls.copying(cursor, merchant.pk):
        _copy(cursor, "transactions_item", _ITEM_COLUMNS, items)
        _copy(cursor, "transactions_raworder", _RAW_COLUMNS, documents)


def _copy(cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
