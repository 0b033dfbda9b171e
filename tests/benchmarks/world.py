"""The surroundings of the benchmarks: a PaySuper in a process of its own, a merchant, many rows."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from merchant import setup
from merchant.models import Merchant
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN
from tests.merchant.sandbox_client import OWNER
from transactions.models import SyncState, Walk

# The sandbox gives one order in nine to its second merchant and adds a row for each refund.
_SHARE = 0.9
NOBODY = "http://127.0.0.1:1"


@contextlib.contextmanager
def paysuper(rows: int, *before: str) -> Iterator[Merchant]:
    """Lantern Works, with about so many rows at a sandbox in a process of its own.

    `before` comes before its command.
    """
    orders = str(int(rows / _SHARE))
    command = [sys.executable, "manage.py", "sandbox", "--port", "0", "--orders", orders]
    with subprocess.Popen(
        [*before, *command], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = process.stdout.readline()
            yield lantern(said.split()[-1])
        finally:
            process.terminate()


def lantern(api_url: str = NOBODY) -> Merchant:
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
