"""Lists, cards and exports are read from a replica, as long as it is near enough, and nothing else is."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connection, connections, router
from django.test.utils import CaptureQueriesContext

from fulfillment.operations import text
from merchant import patient, replica, walls
from merchant.models import Merchant
from tests.conftest import Person
from tests.faults.following import Follower, has_programs, pair
from tests.fulfillment.desk import Desk
from tests.merchant.sandbox_receiver import eventually
from tests.transactions.export_requests import folder, made  # noqa: F401
from transactions import sync
from transactions.exporting import progress
from transactions.exports import moment
from transactions.models import Export, SyncState, Transaction

pytestmark = [
    pytest.mark.skipif(not has_programs(), reason="pg_basebackup is not installed"),
    pytest.mark.django_db(transaction=True, databases=["default", replica.ALIAS]),
]
AS_OF = re.compile(r"As of <time datetime=\"([^\"]+)")


@pytest.fixture(scope="module")
def servers(django_db_setup: None, django_db_blocker) -> Iterator[Follower]:
    with django_db_blocker.unblock(), pair() as follower:
        # Known before the first test is allowed to use it. What mirrors another is not emptied after a test.
        mirror = {"TEST": connection.settings_dict["TEST"] | {"MIRROR": "default"}}
        source = connection.settings_dict | mirror
        connections.settings[replica.ALIAS] = patient.database(source, _address(follower.address))
        yield follower
        del connections[replica.ALIAS], connections.settings[replica.ALIAS]


@pytest.fixture(autouse=True)
def follower(servers: Follower, transactional_db: None, settings, monkeypatch) -> Iterator[Follower]:
    """The whole test works on this server, and the product knows its replica."""
    place, there = connection.settings_dict, dict(connection.settings_dict)
    connection.close()
    place.update(_address(servers.primary))
    settings.DATABASE_ROUTERS = ["merchant.replica.Router"]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "merchant.middleware.Replica"]
    settings.REPLICA_MAX_LAG = 60.0
    monkeypatch.setattr(replica, "watch", replica.Watch())
    monkeypatch.setattr(replica, "_LOOK_EVERY", 0.0)
    yield servers
    connections[replica.ALIAS].close()
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)
    connection.close()
    place.update(there)


def _address(url: str) -> dict[str, str]:
    user, password, host, port, name = re.match(r"postgres://(.*):(.*)@(.*):(.*)/(.*)", url).groups()
    return {"USER": user, "PASSWORD": password, "HOST": host, "PORT": port, "NAME": name}


@pytest.fixture
def newest(mirrored: Merchant, vera: Person, follower: Follower, desk: Desk) -> Iterator[str]:
    """A payment that the database has and the replica, which waits, has not."""
    follower.catches_up()
    assert vera.browser.get("/transactions/").status_code == 200  # what is known once is not asked again
    follower.waits()
    uuid = desk.pay()
    sync.sync(mirrored)
    yield str(uuid)
    follower.goes_on()


def shown(person: Person, path: str = "/transactions/") -> str:
    answer = person.browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_is_read_from_the_replica_and_says_how_old_that_is(
    newest: str, vera: Person, follower: Follower, mirrored: Merchant
) -> None:
    page = shown(vera)
    assert newest not in page
    with (
        CaptureQueriesContext(connections[replica.ALIAS]) as asked,
        CaptureQueriesContext(connection) as here,
    ):
        shown(vera)
    assert any("transactions_transaction" in each["sql"] for each in asked)
    assert not any("transactions_transaction" in each["sql"] for each in here)
    now = SyncState.objects.get(merchant=mirrored).succeeded_at
    then = SyncState.objects.using(replica.ALIAS).get(merchant=mirrored).succeeded_at
    assert then < now
    assert then.isoformat()[:19] in AS_OF.search(page)[1]
    follower.goes_on()
    assert newest in shown(vera)


def test_what_the_replica_does_not_have_yet_has_its_card_all_the_same(newest: str, vera: Person) -> None:
    assert newest not in shown(vera)
    assert newest in shown(vera, f"/transactions/{newest}/")
    known = Transaction.objects.using(replica.ALIAS).first()
    with CaptureQueriesContext(connections[replica.ALIAS]) as asked:
        shown(vera, f"/transactions/{known.pk}/")
    assert any("transactions_raworder" in each["sql"] for each in asked)


def test_who_has_done_something_sees_the_database_itself(newest: str, vera: Person, ann: Person) -> None:
    assert newest not in shown(ann)
    assert ann.browser.post(f"/transactions/{newest}/notes/", {"text": "called"}).status_code == 302
    assert ann.browser.cookies["acted"]["max-age"] == 61
    assert newest in shown(ann)
    assert newest not in shown(vera)


def test_an_export_is_read_from_the_replica_and_says_as_of_when(newest: str, ann: Person) -> None:
    of_all = Transaction.objects.count()
    export = made(ann)
    assert export.rows_total == of_all - 1
    assert export.as_of < Transaction.objects.get(pk=newest).asked_at


def test_a_replica_that_is_too_far_behind_is_not_read(newest: str, vera: Person, settings) -> None:
    assert newest not in shown(vera)
    settings.REPLICA_MAX_LAG = 0.2
    eventually(lambda: newest in shown(vera))
    assert newest in shown(vera)


def test_a_replica_that_is_down_or_dies_is_not_missed(
    mirrored: Merchant, vera: Person, follower: Follower, desk: Desk, monkeypatch
) -> None:
    follower.catches_up()
    shown(vera)
    assert replica.complete_as_of()
    # It is believed to be well until somebody looks: the page itself meets the dead line.
    monkeypatch.setattr(replica.watch, "_look", lambda: None)
    follower.stop()
    uuid = desk.pay()
    sync.sync(mirrored)
    assert str(uuid) in shown(vera)
    assert replica.complete_as_of() is None
    monkeypatch.undo()
    follower.start()


@pytest.mark.parametrize("meets", ["before the page", "in the page", "in an export"])
def test_a_replica_that_hangs_costs_a_moment_once_and_is_left_alone(
    mirrored: Merchant, vera: Person, ann: Person, follower: Follower, desk: Desk, settings, meets: str
) -> None:
    settings.LIST_STATEMENT_TIMEOUT = 0.5
    follower.catches_up()
    shown(vera)
    eventually(lambda: replica.lag() == 0)
    if meets != "before the page":
        replica.watch._look = lambda: None
    with follower.hangs():
        uuid = desk.pay()
        sync.sync(mirrored)
        began = time.monotonic()
        if meets == "in an export":
            assert made(ann).rows_total == Transaction.objects.count()
        else:
            assert str(uuid) in shown(vera)
        assert 0.5 < time.monotonic() - began < 7
        began = time.monotonic()
        assert str(uuid) in shown(vera)
        assert str(uuid) in shown(vera, f"/transactions/{uuid}/")
        assert time.monotonic() - began < 1.4
        assert replica.lag() is None
    vars(replica.watch).pop("_look", None)
    assert replica.watch.next_look > time.monotonic() + 20
    replica.watch.next_look = 0.0
    eventually(lambda: replica.preferably(lambda: Transaction.objects.all().db) == replica.ALIAS)


def test_an_export_whose_replica_hangs_in_the_middle_begins_again_from_the_database(
    mirrored: Merchant, vera: Person, ann: Person, follower: Follower, monkeypatch
) -> None:
    follower.catches_up()
    shown(vera)
    eventually(lambda: replica.lag() == 0)
    hanging, teller = contextlib.ExitStack(), progress.teller

    def hangs_at_once(export: Export) -> Callable[[int, int], None]:
        tell = teller(export)
        return lambda done, total: (done or hanging.enter_context(follower.hangs()), tell(done, total))

    monkeypatch.setattr(progress, "teller", hangs_at_once)
    monkeypatch.setattr(moment, "_SILENCE", 1.0)
    began = time.monotonic()
    with hanging:
        export = made(ann)
        assert replica.lag() is None
    assert 1 < time.monotonic() - began < 8
    assert (export.state, export.rows_total) == ("ready", Transaction.objects.count())


def told() -> dict[str, float]:
    lines = [line.split() for line in text().decode().splitlines() if line.startswith("dashboard_replica")]
    return {name.removeprefix("dashboard_replica_"): float(value) for name, value in lines}


def test_how_far_the_replica_is_behind_is_told(
    newest: str, ann: Person, follower: Follower, settings
) -> None:
    eventually(lambda: told()["lag_seconds"] > 0.3)
    assert told() == {"answers": 1, "lag_seconds": pytest.approx(1, abs=0.9), "lag_limit_seconds": 60}
    assert "far behind" not in shown(ann, "/operations/")
    settings.REPLICA_MAX_LAG = 0.2
    assert "The replica is too far behind the database" in shown(ann, "/operations/")
    follower.goes_on()
    eventually(lambda: told()["lag_seconds"] == 0)
    assert "far behind" not in shown(ann, "/operations/")
    with follower.hangs():
        assert told() == {"answers": 0, "lag_limit_seconds": 0.2}
        assert "The replica does not answer" in shown(ann, "/operations/")


def test_the_walls_stand_in_the_replica_too(
    mirrored: Merchant, copper: Merchant, vera: Person, cleo: Person, follower: Follower
) -> None:
    follower.catches_up()
    theirs = {str(uuid) for uuid in copper.transactions.values_list("uuid", flat=True)}
    assert not any(uuid in shown(vera) for uuid in theirs)
    assert sum(uuid in shown(cleo) for uuid in theirs) == len(theirs)
    assert vera.browser.get(f"/transactions/{min(theirs)}/").status_code == 404

    def owners() -> set[int]:
        rows = Transaction.objects.all()
        assert rows.db == replica.ALIAS
        return set(rows.values_list("merchant_id", flat=True))

    with walls.nobody():
        assert replica.preferably(owners) == set()
    with walls.only(copper.pk):
        assert replica.preferably(owners) == {copper.pk}
        with walls.own_rows():
            assert replica.preferably(owners) == {copper.pk}
    with replica._from_replica():
        assert router.db_for_write(Transaction) == "default"
        assert router.db_for_read(Merchant) == "default"
