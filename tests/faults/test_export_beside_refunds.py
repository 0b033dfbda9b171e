"""Exports that do not end hold nothing else up: the programs of the Procfile share the queues among them."""

import contextlib
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as live
from django.db import connection, connections

from fulfillment.models import Action
from merchant.embedded import PROJECT, environment, processes
from merchant.embedded.supervisor import procfile
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from tests.fulfillment.test_worker import PATIENCE, ask_by_browser
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Starts a program of the Procfile on the database and the broker of the tests."""
    there = connection.settings_dict
    place = f"{there['HOST']}:{there['PORT']}/{there['NAME']}"
    own = {
        "DATABASE_URL": f"postgres://{there['USER']}:{there['PASSWORD']}@{place}",
        "REDIS_URL": live.REDIS_URL,
        "EXPORT_STORAGE_URL": (tmp_path / "kept").as_uri(),
    }
    commands, programs = procfile(PROJECT / "Procfile"), []

    def begin(name: str) -> None:
        shell = ["/bin/sh", "-c", f"exec {commands[name]}"]
        variables = environment.with_programs() | own
        programs.append(processes.start(shell, tmp_path / f"{name}.log", cwd=PROJECT, env=variables))

    yield begin
    for program in programs:
        processes.stop(program, signal.SIGKILL, 10)


@contextlib.contextmanager
def held(exports: list[Export]) -> Iterator[None]:
    """Whoever works on these exports waits for the block's end."""
    line = connections.create_connection("default")
    line.set_autocommit(False)
    with contextlib.closing(line), line.cursor() as cursor:
        cursor.execute(
            "SELECT FROM transactions_export WHERE id = ANY(%s) FOR UPDATE", [[e.pk for e in exports]]
        )
        yield
        line.rollback()


def waiting_for_locks() -> int:
    """How many sessions of this database wait for somebody."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def test_a_refund_passes_while_two_exports_do_not_end(
    ben: Person, desk: Desk, lantern: Merchant, start: Callable[[str], None]
) -> None:
    order = mirrored_order(lantern, desk)
    pages = [ben.browser.post("/exports/", {"format": "csv"}) for _ in range(2)]
    exports = list(Export.objects.all())
    assert [page.status_code for page in pages] == [302, 302]
    assert len(exports) == 2
    with held(exports):
        start("exporter")
        start("worker")
        eventually(lambda: waiting_for_locks() > 0, PATIENCE)
        action = ask_by_browser(ben, order)
        eventually(
            lambda: fresh(action).state not in (Action.State.REQUESTED, Action.State.SENDING), PATIENCE
        )
        assert desk.posts(order.pk) == 1
        assert not Export.objects.exclude(state=Export.State.WAITING).exists()
    eventually(lambda: Export.objects.filter(state=Export.State.READY).count() == 2, PATIENCE)
