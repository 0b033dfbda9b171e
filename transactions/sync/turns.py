"""One sync of a merchant at a time, over all processes and machines."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from django.db import DEFAULT_DB_ALIAS, Error, connections

from merchant.models import Merchant

_LOCK = 20_481


class AlreadyRunning(Exception):
    """Another sync of this merchant is under way."""


@contextmanager
def alone(merchant: Merchant) -> Iterator[None]:
    """As long as nobody else syncs this merchant. Raises AlreadyRunning.

    The lock belongs to a transaction of a connection of its own: a pool that hands connections on between
    transactions leaves it alone, and it ends with the process, however that ends. Nothing is read or written
    in this transaction, so it holds up neither vacuum nor anybody else. Were it lost, two syncs would do the
    same work twice and no harm: the mirror takes the newest of what both have read.
    """
    with closing(connections.create_connection(DEFAULT_DB_ALIAS)) as line:
        line.set_autocommit(False)
        with line.cursor() as cursor:
            # Of the two limits that administrators set for transactions, this one is reached by waiting.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, merchant.pk])
            if cursor.fetchone() != (True,):
                raise AlreadyRunning("A sync of this merchant is already running.")
        try:
            yield
        finally:
            # Closing alone would let the server end the transaction whenever it finds out.
            with suppress(Error):
                line.rollback()
