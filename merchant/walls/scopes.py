"""Whose rows can be seen right now: by this thread, until the end of a `with`."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import models

# "": nobody's, an id: that merchant's.
NOBODY, EVERYBODY = "", "*"
_scope: ContextVar[str | None] = ContextVar("merchant_scope", default=None)
_through_own_rows: ContextVar[bool] = ContextVar("merchant_own_rows", default=False)
_outside = EVERYBODY


def current() -> str:
    """NOBODY, EVERYBODY, or the id of a merchant."""
    scope = _scope.get()
    return _outside if scope is None else scope


def reads_own_rows() -> bool:
    """Whether transactions are read through the view."""
    return _through_own_rows.get()


def close() -> None:
    """From now on nobody's rows are seen in this process where nothing else is said."""
    global _outside  # noqa: PLW0603 - what kind of process this is
    _outside = NOBODY


@contextmanager
def only(merchant_id: int) -> Iterator[None]:
    """See and write the rows of this merchant, and of nobody else."""
    with _within(str(int(merchant_id))):
        yield


@contextmanager
def only_of(model: type[models.Model], pk: object) -> Iterator[None]:
    """The rows of the merchant to whom this row belongs; of nobody, if there is no such row."""
    with lifted():
        rows = model._base_manager.filter(pk=pk)  # noqa: SLF001 - whatever a model hides by default
        merchant_id = rows.values_list("merchant", flat=True).first()
    with _within(NOBODY if merchant_id is None else str(merchant_id)):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """See no merchant's rows."""
    with _within(NOBODY):
        yield


@contextmanager
def lifted() -> Iterator[None]:
    """See all rows. Each place that needs this says why; tests/security/test_walls_places.py lists them."""
    with _within(EVERYBODY):
        yield


def kept(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of an answer, each made as if it were now, although it is asked for later."""
    return _each_within(current(), iter(pieces))


@contextmanager
def own_rows() -> Iterator[None]:
    """Read transactions through a view of the merchant's own rows: the same rows, by any index.

    Below a policy PostgreSQL uses no index for a part of a text or a range of amounts.
    """
    token = _through_own_rows.set(True)
    try:
        yield
    finally:
        _through_own_rows.reset(token)


def _each_within(scope: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    while True:
        with _within(scope):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


@contextmanager
def _within(scope: str) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)
