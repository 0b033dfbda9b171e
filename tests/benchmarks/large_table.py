"""A table with many transactions: those of a large merchant, of a small one, and as many of another."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from merchant import setup
from merchant.models import Merchant
from tests.benchmarks import world
from tests.conftest import COPPER, KETTLE
from tests.merchant.sandbox_client import OWNER
from transactions import sync
from transactions.mirror import totals
from transactions.models import Item, Transaction

LARGE, SMALL = 1_000_000, 10_000
# So many differ by what PaySuper's sandbox makes; the others are their copies, every round four days older.
_DIFFERENT = 5_000
_DAYS = 4
_OWN_ID = "md5(copy || '-' || %(owner)s || '-' || {})::uuid"
_TRANSACTION = {
    "uuid": _OWN_ID.format("uuid"),
    "parent_uuid": _OWN_ID.format("parent_uuid"),
    "merchant_id": "%(owner)s",
    "project_id": "%(project)s",
    "created_at": f"created_at - copy * interval '{_DAYS} days'",
    "transaction_id": "transaction_id || '-' || copy",
    "customer_email": "CASE WHEN customer_email = '' THEN '' ELSE copy || customer_email END",
    "refund_receipt": "CASE WHEN refund_receipt = '' THEN '' ELSE refund_receipt || '-' || copy END",
    # Of what was paid, the newest and every fiftieth order wait.
    "fulfilment": "CASE WHEN status = 'processed' AND copy > 1 AND hashtext(copy || uuid::text) %% 50 <> 0 "
    "THEN 'fulfilled' ELSE 'unfulfilled' END",
}
_ITEM = {"transaction_id": _OWN_ID.format("transaction_id"), "merchant_id": "%(owner)s"}


def many(rows: int) -> tuple[Merchant, Merchant]:
    """A merchant with so many rows and one with ten thousand, in a table of twice as many rows."""
    large, small, other = _owner(COPPER, KETTLE), _owner("b" * 24, "c" * 24), _owner("d" * 24, "e" * 24)
    sizes = {large: rows, small: SMALL, other: rows - SMALL}
    if any(Transaction.objects.filter(merchant=owner).count() != size for owner, size in sizes.items()):
        world.empty()
        with world.paysuper(_DIFFERENT) as source:
            sync.sync(source, full=True)
        with _without_indexes():
            for owner, size in sizes.items():
                _copy(source, owner, size)
        for owner in sizes:
            totals.rebuild(owner)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what the database would do by itself in a while
            cursor.execute("CHECKPOINT")
    return large, small


def _owner(merchant_id: str, project_id: str) -> Merchant:
    owner = setup.connect(
        merchant_id,
        name=merchant_id,
        api_url=world.NOBODY,
        api_token=OWNER,
        time_zone="Europe/Berlin",
        currency="",
    )
    setup.connect_project(owner, project_id, name=project_id, secret_key="none")
    return owner


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Rows without their indexes, which are made anew at the end: three times as fast."""
    with connection.schema_editor() as editor:
        for index in Transaction._meta.indexes:
            editor.remove_index(Transaction, index)
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
    with connection.schema_editor() as editor:
        for index in Transaction._meta.indexes:
            editor.add_index(Transaction, index)


def _copy(source: Merchant, owner: Merchant, rows: int) -> None:
    """Give the owner so many rows, made from those of the source, with their items."""
    copies = rows // source.transactions.count() + 1
    values = {"owner": owner.pk, "project": owner.projects.get().pk, "source": source.pk}
    values |= {"rows": rows, "copies": copies}
    columns = {field.column: field.column for field in Transaction._meta.concrete_fields} | _TRANSACTION
    lines = {field.column: field.column for field in Item._meta.concrete_fields if not field.primary_key}
    lines |= _ITEM
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO transactions_transaction ({', '.join(columns)}) "
            f"SELECT {', '.join(columns.values())} FROM transactions_transaction AS one "
            "CROSS JOIN generate_series(1, %(copies)s) AS copy WHERE one.merchant_id = %(source)s "
            "ORDER BY copy, one.uuid LIMIT %(rows)s",
            values,
        )
        cursor.execute(
            f"INSERT INTO transactions_item ({', '.join(lines)}) "
            f"SELECT {', '.join(lines.values())} FROM transactions_item AS one "
            "CROSS JOIN generate_series(1, %(copies)s) AS copy "
            "WHERE one.merchant_id = %(source)s AND EXISTS ("
            f"SELECT FROM transactions_transaction WHERE uuid = {_OWN_ID.format('one.transaction_id')})",
            values,
        )
