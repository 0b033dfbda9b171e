"""The first fill from a PaySuper on the same machine, beside the bare COPY-upsert of the same rows."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from merchant.paysuper.client import PAGE_SIZE
from tests.benchmarks import world
from tests.benchmarks.measure import Line, Sizes, faster, rates
from transactions.mirror.rows import COLUMNS
from transactions.models import Transaction

_ITEMS = "merchant_id transaction_id position product_id sku name platform_id amount currency".split()
_RAW = "transaction_id merchant_id document".split()
# Columns, what names the order, what must be unique.
_TABLES = {
    "transactions_transaction": (COLUMNS, "uuid", "uuid"),
    "transactions_raworder": (_RAW, "transaction_id", "transaction_id"),
    "transactions_item": (_ITEMS, "transaction_id", "transaction_id, position"),
}
_PEER = "bare COPY and INSERT … ON CONFLICT of the same rows"

# What one transaction of the peer writes: rows by table.
Page = dict[str, list[tuple[Any, ...]]]


def measure(sizes: Sizes) -> Iterator[Line]:
    """Speed, and memory by size."""
    with world.paysuper(sizes.fill_small):
        few = [_filled() for _ in range(sizes.rounds)]
    with world.paysuper(sizes.fill):
        many, peers, pages = [], [], []
        for _ in range(sizes.rounds):
            many.append(_filled())
            pages = pages or _pages()
            peers.append(_upserted(pages))
    count = many[0]["orders"]
    pairs = [(each["seconds"], peer) for each, peer in zip(many, peers, strict=True)]
    ours, peer = rates(pairs, count, "orders")
    yield Line(f"First fill of {count:,} orders", ours, f"{peer}: {_PEER}", faster(pairs), 0.6)
    growth = [large["megabytes"] - small["megabytes"] for large, small in zip(many, few, strict=True)]
    most, least = (f"{max(each['megabytes'] for each in side):.0f} MB at most" for side in (many, few))
    smaller = f"{least} for {few[0]['orders']:,} orders"
    yield Line(
        f"Memory of that fill, {count:,} orders", most, smaller, growth, 30, at_least=False, unit=" MB"
    )


def _filled() -> dict[str, Any]:
    """One fill in a process of its own."""
    world.empty()
    command = [sys.executable, "-m", "tests.benchmarks.filling"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def _pages() -> list[Page]:
    """What the fill has written, in the pages that it came in."""
    uuids = list(Transaction.objects.order_by("created_at").values_list("uuid", flat=True))
    return [_page(uuids[start : start + PAGE_SIZE]) for start in range(0, len(uuids), PAGE_SIZE)]


def _page(uuids: list[Any]) -> Page:
    page = {}
    with connection.cursor() as cursor:
        for table, (columns, order, _) in _TABLES.items():
            names = ", ".join("document::text" if name == "document" else name for name in columns)
            cursor.execute(f"SELECT {names} FROM {table} WHERE {order} = ANY(%s)", [uuids])
            page[table] = cursor.fetchall()
    return page


def _upserted(pages: list[Page]) -> float:
    """Seconds for all pages, each in a transaction, as the product does it."""
    world.empty()
    start = time.perf_counter()
    for page in pages:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, (columns, _, key) in _TABLES.items():
                _upsert(cursor, table, columns, key, page[table])
    return time.perf_counter() - start


def _upsert(cursor: Any, table: str, columns: list[str], key: str, rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS peer_{table} AS SELECT {names} FROM {table} WITH NO DATA"
    )
    cursor.execute(f"TRUNCATE peer_{table}")
    with cursor.copy(f"COPY peer_{table} ({names}) FROM STDIN") as copy:
        for each in rows:
            copy.write_row(each)
    news = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM peer_{table} "
        f"ON CONFLICT ({key}) DO UPDATE SET {news}"
    )
