"""No statement for a page runs longer than people wait."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, connections
from psycopg.errors import QueryCanceled

from merchant import replica, walls

log = structlog.get_logger()


class TooSlow(Exception):
    """The database needed longer than a page may wait; nothing has been changed."""


@contextmanager
def limited(share: float = 1.0) -> Iterator[None]:
    """Let each statement inside run LIST_STATEMENT_TIMEOUT seconds at most, or a share of that.

    Raises TooSlow after that. Not to be nested.
    """
    seconds = settings.LIST_STATEMENT_TIMEOUT * share
    try:
        with ExitStack() as limits:
            limits.enter_context(walls.own_rows())
            for alias in replica.aliases():
                limits.enter_context(connections[alias].execute_wrapper(partial(_with_limit, seconds)))
            yield
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        log.warning("statement_too_slow", seconds=seconds)
        raise TooSlow from error


def _with_limit(
    seconds: float,
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,
    context: dict[str, Any],
) -> Any:
    # Both in one message: it is a transaction of its own, so that the limit ends with it, also on a
    # connection that a pool hands to somebody else for the next statement. It costs no way to the server.
    milliseconds = max(round(seconds * 1000), 1)
    answer = execute(f"SET LOCAL statement_timeout = {milliseconds}; {sql}", params, many, context)
    context["cursor"].nextset()  # from the answer to SET to that of the query
    return answer
