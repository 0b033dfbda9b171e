"""A function that breaks while a test looks."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from fulfillment.models import Action
from tests.fulfillment.desk import (
    Desk,
)

State = Action.State


@contextlib.contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, trouble: object) -> Iterator[None]:
    """One function does something else for a while: what no fault of PaySuper can bring about."""
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, trouble)
        yield


def trouble(desk: Desk) -> None:
    """One POST in two goes wrong in some way, one GET in ten; PaySuper would also refund twice."""
    desk.fault("no_race_guard", count=None, seconds=0.01)
    for kind in ("lost_answer", "reset", "truncated"):
        desk.fault(kind, count=None, probability=0.12)
    for status in (500, 503, 429, 401):
        desk.refuse(status, "", count=None, probability=0.06)
    desk.refuse(503, "", method="GET", path="", count=None, probability=0.1)
    desk.refuse(200, '{"count":0,"items":null}', method="GET", count=None, probability=0.1)


def at_once(number: int, work: Callable[[], object]) -> None:
    """The same work on several workers, each with its own line to the database."""
    start, failures = threading.Barrier(number), []

    def worker() -> None:
        start.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - shown by the test, whatever it is
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
