"""One moment of the database, for as long as a report is read."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from merchant import patient, replica

# Bytes.
_ARRIVED = 256 * 1024
# Seconds. What sorts millions of rows may be silent for long, but not so long that the task ends.
_SILENCE = 300.0


@contextmanager
def snapshot(alias: str) -> Iterator[tuple[BaseDatabaseWrapper, datetime]]:
    """A connection that sees the database as of one instant, given in UTC, and cannot write.

    It is a connection of its own: the caller's keeps recording progress while this one stands still.
    """
    connection = connections.create_connection(alias)
    try:
        connection.set_autocommit(False)
        with connection.cursor() as cursor:
            _bounded(connection)
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            # Compiling some hundred expressions takes longer than a short report.
            cursor.execute("SET LOCAL jit = off")
            cursor.execute("SET LOCAL datestyle = 'ISO'")
            cursor.execute("SELECT statement_timestamp()")
            (as_of,) = cursor.fetchone()
        if alias == replica.ALIAS:
            # What it has of the time since then may be a part.
            as_of = replica.complete_as_of() or as_of
        with patient.waiting(_SILENCE):
            yield connection, as_of
    finally:
        connection.close()


def _bounded(connection: BaseDatabaseWrapper) -> None:
    """What has arrived and is not yet written stays small, also when the database is faster than we are."""
    with socket.socket(fileno=os.dup(connection.connection.fileno())) as pipe:
        pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ARRIVED)
