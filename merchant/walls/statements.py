"""Tells the database with every statement whose rows it may touch.

The settings travel in the statement's own message, which costs no way to the server, and end with its
transaction: nothing is left on a connection for the next request, also behind a pool that hands connections
on between transactions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from merchant.walls import scopes

ROLE, SETTING, VIEWS = "paysuper_member", "app.merchant", "own_rows"
# These have no rows, and some are sent where nothing else is answered: in a transaction that has failed.
_OF_TRANSACTIONS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class Foreign(Exception):
    """Rows of another merchant than the current one."""


def put_up(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Have every statement of this connection say whose rows it is about."""
    if connection.vendor == "postgresql" and _walled not in connection.execute_wrappers:
        # First, since Connection.execute_wrapper takes away the last one at its end.
        connection.execute_wrappers.insert(0, _walled)


@contextmanager
def copying(cursor: CursorWrapper, merchant_id: int) -> Iterator[None]:
    """Inside of a transaction: COPY rows of this merchant into its tables.

    PostgreSQL refuses COPY below row-level security. Raises Foreign when another merchant is the current one.
    """
    if scopes.current() not in (scopes.EVERYBODY, str(merchant_id)):
        raise Foreign
    with scopes.lifted():
        _say(cursor.db, _settings(cursor.db))
        yield


def _walled(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection, cursor = context["connection"], context["cursor"]
    settings = () if str(sql).startswith(_OF_TRANSACTIONS) else _settings(connection)
    if not settings:
        return execute(sql, params, many, context)
    if many or isinstance(cursor.cursor, psycopg.ServerCursor):
        with _in_transaction(connection):
            _say(connection, settings)
            return execute(sql, params, many, context)
    text = sql if isinstance(sql, str) else sql.as_string(connection.connection)
    answer = execute(f"{'; '.join(settings)}; {text}", params, many, context)
    for _ in settings:
        cursor.nextset()
    return answer


def _settings(connection: BaseDatabaseWrapper) -> Sequence[str]:
    scope, lasting = scopes.current(), connection.in_atomic_block or not connection.autocommit
    if scope == scopes.EVERYBODY:
        # Only after a walled statement of the same transaction there is something to lift.
        touched = lasting and getattr(connection, "has_walls", False)
        return ("SET LOCAL role TO DEFAULT", "SET LOCAL search_path TO DEFAULT") if touched else ()
    connection.has_walls = True  # type: ignore[attr-defined]
    settings = (f"SET LOCAL ROLE {ROLE}", f"SET LOCAL {SETTING} = '{scope}'")
    if scopes.reads_own_rows():
        return (*settings, f'SET LOCAL search_path = {VIEWS}, "$user", public')
    return (*settings, "SET LOCAL search_path TO DEFAULT") if lasting else settings


def _say(connection: BaseDatabaseWrapper, settings: Sequence[str]) -> None:
    if settings:
        connection.connection.execute("; ".join(settings))


@contextmanager
def _in_transaction(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """What is no single message gets a transaction, so that the settings last until its end."""
    if connection.in_atomic_block or not connection.autocommit:
        yield
        return
    connection.set_autocommit(False)
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.set_autocommit(True)
