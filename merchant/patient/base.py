"""Where Django looks for a database engine."""

from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from merchant.patient import patience


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL, of which no answer is waited for longer than `patience`.

    After that it is an OperationalError, and the line is closed: what may still come is nobody's answer.
    """

    def get_new_connection(self, conn_params: Any) -> Any:
        """A line of psycopg's, each of whose waits has an end."""
        line = super().get_new_connection(conn_params)
        endless = line.wait

        def wait(*args: Any, **kwargs: Any) -> Any:
            try:
                return endless(*args, **{"timeout": patience(), **kwargs})
            except psycopg.OperationalError:
                if line.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    line.pgconn.finish()
                raise

        line.wait = wait
        return line
