"""Behind PgBouncer in transaction mode everything works as before, and nobody finds what another has left."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, models

from fulfillment.models import Action
from merchant import walls
from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import Person
from tests.faults import pgbouncer
from tests.fulfillment.desk import Desk, mirrored_order, sent, settled
from tests.merchant.sandbox_client import LIST
from tests.transactions.export_requests import folder, made  # noqa: F401
from tests.transactions.syncing import asked, fault
from transactions import sync
from transactions.models import Export, Transaction

pytestmark = [
    pytest.mark.skipif(not pgbouncer.PROGRAM, reason="PgBouncer is not installed (Debian: pgbouncer)"),
    pytest.mark.django_db(transaction=True),
]
LEFT = """
SELECT current_user = session_user, coalesce(current_setting('app.merchant', true), ''),
    current_setting('search_path'), current_setting('statement_timeout'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),
    (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relnamespace = pg_my_temp_schema())
"""
NOTHING = (True, "", '"$user", public', "0", 0, 0, 0, 0)


@pytest.fixture(scope="module")
def pool(django_db_setup: None) -> Iterator[pgbouncer.Pool]:
    with pgbouncer.running() as pool:
        yield pool


@contextlib.contextmanager
def by_way_of(pool: pgbouncer.Pool, name: str) -> Iterator[None]:
    """Every connection of this process leads through the pool."""
    place = {"HOST": "127.0.0.1", "PORT": str(pool.port), "NAME": name, "PASSWORD": ""}
    before = {key: connection.settings_dict[key] for key in place}
    connection.close()
    connection.settings_dict.update(place)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


@pytest.fixture
def few(pool: pgbouncer.Pool, transactional_db: None) -> Iterator[pgbouncer.Pool]:
    with by_way_of(pool, "few"):
        yield pool


@pytest.fixture
def one(pool: pgbouncer.Pool, transactional_db: None, lantern: Merchant, copper: Merchant) -> Iterator[None]:
    """What needs a second connection, as a sync does, has been done."""
    sync.sync(lantern, full=True)
    with by_way_of(pool, "one"):
        yield


def left(pool: pgbouncer.Pool) -> set[tuple[object, ...]]:
    """What the next clients find on the server's connections."""
    with contextlib.ExitStack() as lines:
        found = set()
        for _ in range(6):
            line = lines.enter_context(pool.line("few"))
            line.execute("BEGIN")
            found.add(line.execute(LEFT).fetchone())
        return found


def in_thread(work: Callable[[], None], failures: list[BaseException]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - is told to the test
            failures.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_list_card_export_sync_and_refund_leave_nothing_behind(
    few: pgbouncer.Pool, mirrored: Merchant, ann: Person, desk: Desk
) -> None:
    order = mirrored_order(mirrored, desk)
    for page in ("/transactions/?q=lantern", f"/transactions/{order.pk}/", "/", "/webhooks/", "/settings/"):
        assert ann.browser.get(page).status_code == 200, page
    assert made(ann).rows_total == Transaction.objects.filter(merchant=mirrored).count() > 50
    assert settled(sent(order, ann), Action.State.REFUNDED).outcome is not None
    sync.sync(mirrored)
    assert list(sync.drift(mirrored)) == []
    assert left(few) == {NOTHING}


def test_of_two_syncs_at_once_one_is_refused_and_the_next_may(
    few: pgbouncer.Pool, mirrored: Merchant, paysuper: Sandbox
) -> None:
    fault(paysuper, kind="latency", seconds=0.5, path=LIST, count=1)
    before, failures = asked(paysuper, LIST), []
    first = in_thread(lambda: sync.sync(mirrored) and None, failures)
    while asked(paysuper, LIST) == before:
        pass
    with pytest.raises(sync.AlreadyRunning):
        sync.sync(mirrored)
    first.join()
    assert failures == []
    for _ in range(6):
        sync.sync(mirrored)


def test_two_merchants_at_once_over_one_connection_see_their_own_rows_alone(
    one: None, ann: Person, cleo: Person, pool: pgbouncer.Pool
) -> None:
    own = {}
    with walls.lifted():
        for each in (ann, cleo):
            rows = Transaction.objects.filter(merchant=each.membership.merchant)
            own[each] = {str(uuid) for uuid in rows.values_list("uuid", flat=True)}
    connection.close()

    def looks(person: Person, other: Person) -> None:
        for _ in range(8):
            page = person.browser.get("/transactions/").content.decode()
            assert sum(uuid in page for uuid in own[person]) >= min(20, len(own[person])) > 0
            assert not any(uuid in page for uuid in own[other])
            assert person.browser.get(f"/transactions/{min(own[person])}/").status_code == 200
            assert person.browser.get(f"/transactions/{min(own[other])}/").status_code == 404
            # The wall itself, without the look-up that asks for whom.
            with walls.only(person.membership.merchant_id), walls.own_rows():
                assert {str(pk) for pk in Transaction.objects.values_list("pk", flat=True)} == own[person]

    failures: list[BaseException] = []
    threads = [in_thread(lambda a=a, b=b: looks(a, b), failures) for a, b in ((ann, cleo), (cleo, ann))]
    for thread in threads:
        thread.join()
    assert failures == []
    with pool.line("one") as line:
        assert line.execute(LEFT).fetchone() == NOTHING


def test_migrations_run_through_it(few: pgbouncer.Pool) -> None:
    table, index = Export._meta.db_table, models.Index(fields=["rows_total"], name="pooled")
    with connection.schema_editor() as editor:
        editor.execute(f"ALTER TABLE {table} ADD COLUMN pooled integer DEFAULT 5")
        editor.execute(f"ALTER TABLE {table} DROP COLUMN pooled")
    with connection.schema_editor(atomic=False) as editor:
        editor.add_index(Export, index, concurrently=True)
        editor.remove_index(Export, index, concurrently=True)
    # What follows every migration: the wall is looked over, by one at a time.
    call_command("migrate", verbosity=0)
    assert left(few) == {NOTHING}


def test_a_copy_of_the_database_is_not_made_through_it(few: pgbouncer.Pool, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="address of PostgreSQL itself"):
        call_command("backup", str(tmp_path / "all.dump"))
    assert list(tmp_path.iterdir()) == []
