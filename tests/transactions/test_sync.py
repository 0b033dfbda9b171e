"""The mirror is filled from PaySuper over HTTP and equals it afterwards."""

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator
from uuid import UUID

import httpx2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from msgspec.structs import replace

from merchant import line
from merchant.models import Merchant, Project
from merchant.paysuper.client import Patience
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotFound, NotSent, PaySuperError, Unexpected
from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.journal import Change
from tests.conftest import COPPER, HARBOUR, LANTERN, connect
from tests.merchant.examples import FOLDER
from tests.merchant.sandbox_client import OWNER
from transactions import sync, tasks
from transactions.models import RawOrder, SyncState, Transaction
from transactions.sync import runs, walking

IMPATIENT = Patience(reads=1)
LIST = "^/admin/api/v1/order$"


def pay(paysuper: Sandbox, **wish: object) -> UUID:
    answer = httpx2.post(f"{paysuper.url}/sandbox/payments", json=wish)
    return UUID(answer.json()["uuid"])


def charge_back(paysuper: Sandbox, uuid: UUID) -> None:
    assert httpx2.post(f"{paysuper.url}/sandbox/orders/{uuid}/chargeback").status_code == 200


def fault(paysuper: Sandbox, **what: object) -> None:
    assert httpx2.post(f"{paysuper.url}/sandbox/faults", json=what).status_code == 200


def heal(paysuper: Sandbox) -> None:
    httpx2.delete(f"{paysuper.url}/sandbox/faults")


def asked(paysuper: Sandbox, path: str) -> int:
    return httpx2.get(f"{paysuper.url}/sandbox/requests", params={"path": path}).json()["count"]


def mirror() -> dict[UUID, str]:
    return dict(Transaction.objects.values_list("uuid", "status"))


@contextlib.contextmanager
def sandbox(**options: object) -> Iterator[tuple[Sandbox, Merchant]]:
    """A PaySuper of another size, and Lantern Works at it."""
    with Sandbox(**({"seed": 5, "refund_delay": 0.05, "webhook_url": ""} | options)) as paysuper:
        yield paysuper, connect(LANTERN, "Lantern Works GmbH", paysuper.url, OWNER)


def test_a_first_fill_brings_every_order_of_the_merchant(lantern: Merchant) -> None:
    report = sync.sync(lantern, full=True)
    assert report.read == report.added == Transaction.objects.filter(merchant=lantern).count() > 40
    assert list(sync.drift(lantern)) == []


def test_check_drift_fails_and_names_the_order_that_differs(mirrored: Merchant) -> None:
    entry = Transaction.objects.filter(merchant=mirrored, status="processed").first()
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=entry.charge_amount + 1)
    with pytest.raises(CommandError):
        call_command("check_drift", merchant_id=LANTERN)
    assert [line.split(":")[0] for line in sync.drift(mirrored)] == [str(entry.pk)]


def test_a_merchant_never_synced_begins_with_its_first_order(lantern: Merchant) -> None:
    assert sync.sync(lantern).added == Transaction.objects.count() > 40
    assert list(sync.drift(lantern)) == []


def test_a_second_sync_reads_little_and_changes_nothing(mirrored: Merchant) -> None:
    before = list(Transaction.objects.order_by("pk").values())
    report = sync.sync(mirrored)
    assert report.read < 10
    assert not report.added
    assert not report.changed
    unchanged = list(Transaction.objects.order_by("pk").values())
    for entry in (*before, *unchanged):
        del entry["asked_at"]
    assert unchanged == before


def test_a_full_sync_reads_everything_again(mirrored: Merchant) -> None:
    report = sync.sync(mirrored, full=True)
    assert report.read == Transaction.objects.count()
    assert not report.added


def test_new_orders_and_refund_rows_come_with_the_next_sync(mirrored: Merchant, paysuper: Sandbox) -> None:
    uuid = pay(paysuper, amount=20)
    assert sync.sync(mirrored).added == Transaction.objects.filter(pk=uuid, status="processed").count() == 1
    charge_back(paysuper, uuid)
    report = sync.sync(mirrored)
    row = Transaction.objects.get(parent_uuid=uuid)
    assert (report.added, report.changed) == (1, 1)
    assert (row.type, row.status, Transaction.objects.get(pk=uuid).status) == (
        "refund",
        "chargeback",
        "chargeback",
    )
    assert list(sync.drift(mirrored)) == []


def test_every_increment_looks_back_over_ten_minutes(mirrored: Merchant, paysuper: Sandbox) -> None:
    uuid = pay(paysuper)
    SyncState.objects.update(synced_until=timezone.now() + dt.timedelta(minutes=11))
    assert sync.sync(mirrored).read == 0
    SyncState.objects.update(synced_until=timezone.now() + dt.timedelta(minutes=9))
    assert sync.sync(mirrored).added == Transaction.objects.filter(pk=uuid).count() == 1


def test_since_and_until_bound_what_is_read(lantern: Merchant) -> None:
    sync.sync(lantern, full=True)
    moments = sorted(Transaction.objects.values_list("created_at", flat=True))
    since, until = moments[15], moments[30]
    Transaction.objects.all().delete()
    sync.sync(lantern, since=since + runs.OVERLAP, until=until + dt.timedelta(seconds=1))
    assert set(Transaction.objects.values_list("created_at", flat=True)) == set(moments[15:31])


def test_an_end_in_the_past_does_not_move_the_beginning_of_the_next_sync(lantern: Merchant) -> None:
    sync.sync(lantern, full=True, until=timezone.now() - dt.timedelta(days=30))
    before = Transaction.objects.count()
    sync.sync(lantern)
    assert Transaction.objects.count() > before
    assert list(sync.drift(lantern)) == []


def test_windows_that_hold_too_many_are_halved_and_nothing_is_lost(
    lantern: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LARGEST_WINDOW", 5)
    sync.sync(lantern, full=True)
    monkeypatch.undo()
    assert list(sync.drift(lantern)) == []


@pytest.mark.django_db
def test_more_than_one_page_and_window_are_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox(orders=1800, days=2) as (paysuper, merchant):
        monkeypatch.setattr(walking, "LARGEST_WINDOW", 700)
        report = sync.sync(merchant, full=True)
        assert report.added == Transaction.objects.count() > 1200
        assert asked(paysuper, LIST) < 30
        assert list(sync.drift(merchant)) == []


def all_at_once(paysuper: Sandbox) -> int:
    """Every order is created at one moment, as bulk orders are; the moment in milliseconds."""
    store = paysuper.world.store
    orders = list(store.orders.values())
    moment = min(order.created for order in orders)
    store.orders.clear()
    for timeline in store._timelines.values():
        timeline.clear()
    store.commit(Change(orders=[replace(order, created=moment) for order in orders]))
    return moment


@pytest.mark.django_db
def test_orders_of_one_instant_are_all_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    with sandbox(orders=1000, days=1) as (paysuper, merchant):
        moment = all_at_once(paysuper)
        monkeypatch.setattr(walking, "LARGEST_WINDOW", 100)
        report = sync.sync(merchant, full=True)
        assert report.added == Transaction.objects.count() > 500
        assert set(Transaction.objects.values_list("created_at", flat=True)) == {
            dt.datetime.fromtimestamp(moment / 1000, dt.UTC)
        }


@pytest.mark.django_db
def test_orders_that_arrive_while_pages_are_read_are_not_lost() -> None:
    with sandbox(orders=1500, days=1) as (paysuper, merchant):
        fault(paysuper, kind="latency", seconds=0.05, path=LIST)
        stop, paid = threading.Event(), []

        def shop() -> None:
            while not stop.is_set():
                paid.append(pay(paysuper))

        thread = threading.Thread(target=shop)
        thread.start()
        sync.sync(merchant, full=True)
        stop.set()
        thread.join()
        heal(paysuper)
        sync.sync(merchant)
        assert len(paid) > 5
        assert set(paid) <= set(mirror())
        assert list(sync.drift(merchant)) == []


@pytest.mark.django_db(transaction=True)
def test_of_two_syncs_at_once_one_is_refused(paysuper: Sandbox) -> None:
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, OWNER)
    other = connect(COPPER, "Copper Kettle Ltd", paysuper.url, "sandbox-copper-owner-token")
    fault(paysuper, kind="latency", seconds=0.5, path=LIST, count=1)
    reports = []

    def first() -> None:
        reports.append(sync.sync(merchant, full=True))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    while not asked(paysuper, LIST):
        pass
    with pytest.raises(sync.AlreadyRunning):
        sync.sync(merchant)
    with pytest.raises(CommandError, match="already running"):
        call_command("sync_transactions", merchant_id=LANTERN)
    tasks.sync_merchant(merchant.pk)
    assert sync.sync(other).added
    thread.join()
    assert reports[0].added
    assert not SyncState.objects.get(merchant=merchant).is_failing
    assert not sync.sync(merchant).added


def test_a_sync_that_failed_leaves_the_lock(mirrored: Merchant, paysuper: Sandbox) -> None:
    fault(paysuper, kind="status", status=401, count=1)
    with pytest.raises(NotAllowed):
        sync.sync(mirrored)
    assert sync.sync(mirrored)


@pytest.mark.parametrize(
    "what",
    [
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 400, "body": '{"code":"ma000111","message":"a\\u0000b"}'},
        {"kind": "status", "status": 200, "body": "[]"},
        {"kind": "status", "status": 302},
    ],
)
def test_a_failure_is_noted_and_the_mirror_stays(
    mirrored: Merchant, paysuper: Sandbox, what: dict[str, object]
) -> None:
    before, state = mirror(), SyncState.objects.get()
    fault(paysuper, **what)
    with pytest.raises(PaySuperError) as caught:
        sync.sync(mirrored)
    failing = SyncState.objects.get()
    assert failing.is_failing
    assert failing.error == str(caught.value) != ""
    assert (failing.synced_until, failing.succeeded_at) == (state.synced_until, state.succeeded_at)
    assert mirror() == before
    heal(paysuper)
    pay(paysuper)
    assert sync.sync(mirrored).added == 1
    healed = SyncState.objects.get()
    assert (healed.is_failing, healed.error) == (False, "")


def test_a_paysuper_that_is_down_is_noted(mirrored: Merchant, paysuper: Sandbox, quick: None) -> None:
    before = mirror()
    paysuper.stop()
    with pytest.raises(NotSent):
        sync.sync(mirrored)
    assert SyncState.objects.get().is_failing
    assert mirror() == before
    tasks.sync_merchant(mirrored.pk)  # noted and logged, and no failure of the worker
    with pytest.raises(CommandError, match="no connection"):
        call_command("sync_transactions", merchant_id=LANTERN)
    with pytest.raises(CommandError, match="no connection") as caught:
        call_command("check_drift", merchant_id=LANTERN)
    assert caught.value.returncode == 2


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits seven seconds for a server that the test itself has stopped."""
    monkeypatch.setattr(line.client, "__defaults__", (IMPATIENT,))


@pytest.mark.django_db
def test_what_was_read_before_a_failure_is_kept_and_not_read_again(
    monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    with sandbox(orders=600, days=1) as (paysuper, merchant):
        real, calls = walking.Client.orders, []

        def breaking(client: walking.Client, *window: dt.datetime, **rest: int) -> walking.Page:
            calls.append(window)
            if len(calls) > 5:  # the first window has been read by then
                fault(paysuper, kind="reset", path=LIST)
            return real(client, *window, **rest)

        monkeypatch.setattr(walking, "LARGEST_WINDOW", 200)
        monkeypatch.setattr(walking.Client, "orders", breaking)
        with pytest.raises(NoAnswer):
            sync.sync(merchant, full=True)
        monkeypatch.setattr(walking.Client, "orders", real)
        kept = Transaction.objects.count()
        assert kept > 0
        state = SyncState.objects.get(merchant=merchant)
        assert (state.synced_until, state.is_failing) == (None, True)
        heal(paysuper)
        rest = sync.sync(merchant)
        assert rest.read == rest.added == Transaction.objects.count() - kept
        assert list(sync.drift(merchant, deep=True)) == []


def page_with(paysuper: Sandbox, *documents: object) -> None:
    """The next reading of the list, which counts before it reads, answers with these orders."""
    body = json.dumps({"count": len(documents), "items": documents})
    fault(paysuper, kind="status", status=200, body=body, path=LIST, count=2)


def example() -> dict[str, object]:
    return json.loads((FOLDER / "admin.order.simple.processed.card.json").read_text())


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        {"uuid": "x"},
        {"project": None},
        {"total_payment_amount": "much"},
        {"order_charge": {"amount": 1e300, "currency": "EUR"}},
        {"created_at": {"seconds": -1}},
        {"created_at": "0001-01-01T00:00:00+14:00"},
        {"news": [[[]]] * 3 + [json.loads("[" * 200 + "]" * 200)]},
    ],
)
def test_one_unreadable_order_does_not_stop_the_rest(
    mirrored: Merchant, paysuper: Sandbox, bad: dict[str, object] | None
) -> None:
    good = example()
    page_with(paysuper, bad and example() | {"uuid": "99"} | bad, good)
    report = sync.sync(mirrored)
    assert report.added == Transaction.objects.filter(pk=UUID(str(good["uuid"]))).count() == 1
    assert len(report.unreadable) == 1
    assert not SyncState.objects.get().is_failing


def test_an_unreadable_first_order_does_not_stop_a_full_sync(lantern: Merchant, paysuper: Sandbox) -> None:
    page_with(paysuper, example() | {"total_payment_amount": "much"}, example())
    assert sync.sync(lantern, full=True).added > 0


def test_unreadable_orders_are_said_by_the_command(
    mirrored: Merchant, paysuper: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    page_with(paysuper, example() | {"uuid": "not-one"}, example())
    call_command("sync_transactions", merchant_id=LANTERN)
    told = capsys.readouterr()
    assert "cannot be read: not-one" in told.err
    assert "1 read, 1 new, 0 changed." in told.out


@pytest.mark.django_db
def test_a_rescan_sees_what_an_increment_does_not() -> None:
    with sandbox(orders=200, days=2) as (paysuper, merchant):
        sync.sync(merchant, full=True)
        old = timezone.now() - dt.timedelta(hours=3)
        entry = Transaction.objects.filter(status="processed", type="order", created_at__lt=old).first()
        charge_back(paysuper, entry.pk)
        sync.sync(merchant)
        assert mirror()[entry.pk] == "processed"
        assert sync.rescan(merchant).changed >= 1
        assert mirror()[entry.pk] == "chargeback"
        assert list(sync.drift(merchant)) == []


def test_a_rescan_before_the_first_fill_does_not_replace_it(lantern: Merchant) -> None:
    sync.rescan(lantern)
    sync.sync(lantern)
    assert list(sync.drift(lantern)) == []


def test_a_rescan_after_a_long_outage_leaves_no_gap(mirrored: Merchant) -> None:
    before = mirror()
    state = timezone.now() - dt.timedelta(days=60)
    Transaction.objects.filter(created_at__gt=state).delete()
    SyncState.objects.update(synced_until=state)
    sync.rescan(mirrored)
    sync.sync(mirrored)
    assert mirror() == before


def test_one_order_is_refreshed_by_its_id(mirrored: Merchant, paysuper: Sandbox, copper: Merchant) -> None:
    uuid = pay(paysuper)
    assert sync.refresh(mirrored, uuid).added == {uuid}
    charge_back(paysuper, uuid)
    assert sync.refresh(mirrored, uuid).changed == {uuid}
    assert mirror()[uuid] == "chargeback"
    with pytest.raises(NotFound):
        sync.refresh(copper, uuid)


def test_merchants_never_mix(mirrored: Merchant, copper: Merchant) -> None:
    ours, theirs = (set(m.transactions.values_list("pk", flat=True)) for m in (mirrored, copper))
    assert ours
    assert theirs
    assert not ours & theirs
    assert list(sync.drift(copper)) == list(sync.drift(mirrored)) == []


def test_a_project_that_was_connected_to_somebody_else_is_said(lantern: Merchant) -> None:
    foreign = Merchant.objects.create(paysuper_id="e" * 24, name="Foreign", api_token="x")
    Project.objects.filter(paysuper_id=HARBOUR).update(merchant=foreign)
    with pytest.raises(Unexpected, match="another merchant"):
        sync.sync(lantern)
    assert "another merchant" in SyncState.objects.get(merchant=lantern).error
    assert not Transaction.objects.exists()


def test_projects_are_named_as_paysuper_names_them(lantern: Merchant) -> None:
    Project.objects.update(name="An older name")
    sync.sync(lantern)
    assert sorted(lantern.projects.values_list("name", flat=True)) == ["Lantern Harbour", "Snow Defender"]


def test_drift_names_orders_that_only_one_side_has(mirrored: Merchant, paysuper: Sandbox) -> None:
    gone = Transaction.objects.filter(type="order").first()
    extra = Transaction.objects.get(pk=gone.pk)
    RawOrder.objects.filter(pk=gone.pk).delete()
    Transaction.objects.filter(pk=gone.pk).delete()
    extra.pk = UUID(int=1)
    extra.save(force_insert=True)
    assert sorted(sync.drift(mirrored)) == sorted(
        [f"{gone.pk}: at PaySuper, not in the mirror", f"{UUID(int=1)}: in the mirror, not at PaySuper"]
    )


def test_drift_does_not_take_news_for_a_difference(mirrored: Merchant, paysuper: Sandbox) -> None:
    uuid = pay(paysuper)
    sync.refresh(mirrored, uuid)
    assert list(sync.drift(mirrored)) == []


def test_drift_does_not_take_an_order_that_arrives_meanwhile_for_a_difference(
    mirrored: Merchant, paysuper: Sandbox
) -> None:
    entry = Transaction.objects.filter(type="order").first()
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=0)
    lines = sync.drift(mirrored)
    assert next(lines).startswith(str(entry.pk))
    sync.refresh(mirrored, pay(paysuper))
    assert list(lines) == []


def test_check_drift_says_when_all_is_well(mirrored: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_drift", merchant_id=LANTERN)
    assert capsys.readouterr().out == "The mirror equals PaySuper.\n"


def test_the_command_takes_instants_and_refuses_other_texts(lantern: Merchant) -> None:
    call_command(
        "sync_transactions",
        "--merchant-id",
        LANTERN,
        "--since",
        "2021-01-01",
        "--until",
        "2021-01-02T00:00:00Z",
    )
    for text in ("soon", "2021-13-01", "", "0001-01-01"):
        with pytest.raises(CommandError):
            call_command("sync_transactions", "--merchant-id", LANTERN, "--since", text)
    with pytest.raises(CommandError, match="connect_merchant first"):
        call_command("sync_transactions", merchant_id="f" * 24)
