"""The surroundings of the benchmarks: a PaySuper in a process of its own, a merchant, many rows."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from merchant import setup
from merchant.models import Merchant
from tests.conftest import COPPER, HARBOUR, HARBOUR_SECRET, KETTLE, LANTERN
from tests.merchant.sandbox_client import OWNER
from transactions import sync
from transactions.models import SyncState, Transaction, Walk

# The sandbox gives one order in nine to its second merchant and adds a row for each refund.
_SHARE = 0.9
_DIFFERENT = 5_000
_NOBODY = "http://127.0.0.1:1"


@contextlib.contextmanager
def paysuper(rows: int) -> Iterator[Merchant]:
    """Lantern Works, with about so many rows at a sandbox in a process of its own."""
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--orders", str(int(rows / _SHARE))]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = process.stdout.readline()
            yield lantern(said.split()[-1])
        finally:
            process.terminate()


def lantern(api_url: str = _NOBODY) -> Merchant:
    """Lantern Works at this PaySuper, and the project that sends webhooks."""
    merchant = setup.connect(
        LANTERN,
        name="Lantern Works",
        api_url=api_url,
        api_token=OWNER,
        time_zone="Europe/Berlin",
        currency="EUR",
    )
    setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
    return merchant


def empty() -> None:
    """No rows any more, and nothing left to do for the database."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE transactions_transaction, transactions_dailytotal CASCADE")
        cursor.execute("CHECKPOINT")
    SyncState.objects.all().delete()
    Walk.objects.all().delete()


def many(rows: int) -> tuple[Merchant, Merchant]:
    """One merchant with so many rows and one with a tenth of them, in the same table."""
    large, small = _owner(COPPER, KETTLE), _owner("b" * 24, "c" * 24)
    if Transaction.objects.filter(merchant=large).count() != rows:
        empty()
        with paysuper(_DIFFERENT) as source:
            sync.sync(source, full=True)
        _copy(source, large, rows)
        _copy(source, small, rows // 10)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # what the database would do by itself in a while
            cursor.execute("CHECKPOINT")
    return large, small


def _owner(merchant_id: str, project_id: str) -> Merchant:
    owner = setup.connect(
        merchant_id,
        name=merchant_id,
        api_url=_NOBODY,
        api_token=OWNER,
        time_zone="Europe/Berlin",
        currency="",
    )
    setup.connect_project(owner, project_id, name=project_id, secret_key="none")
    return owner


def _copy(source: Merchant, owner: Merchant, rows: int) -> None:
    """Give the owner so many rows, made from those of the source; every round of them a day older."""
    own = {
        "uuid": "gen_random_uuid()",
        "merchant_id": str(owner.pk),
        "project_id": str(owner.projects.get().pk),
        "created_at": "created_at - copy * interval '1 day'",
        "customer_email": "copy || customer_email",
    }
    columns = [field.column for field in Transaction._meta.concrete_fields]
    values = [own.get(name, name) for name in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO transactions_transaction ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM transactions_transaction AS one "
            "CROSS JOIN generate_series(1, %s) AS copy WHERE one.merchant_id = %s "
            "ORDER BY copy, one.uuid LIMIT %s",
            [rows // 1000 + 1, source.pk, rows],
        )
