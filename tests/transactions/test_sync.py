"""The mirror is filled from PaySuper over HTTP and equals it afterwards."""

import datetime as dt
import threading

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from msgspec.structs import replace

from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.journal import Change
from tests.conftest import LANTERN
from tests.transactions.syncing import LIST, asked, charge_back, fault, heal, mirror, pay, sandbox
from transactions import sync
from transactions.models import SyncState, Transaction
from transactions.sync import runs, walking


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
