"""A fill goes on where it was broken off, and old orders are read again in turns."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from merchant.models import Merchant
from merchant.paysuper.errors import NoAnswer
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN
from tests.transactions.syncing import asked, charge_back, fault, heal, quick, sandbox
from transactions import sync
from transactions.models import SyncState, Transaction, Walk
from transactions.sync import runs, walking

__all__ = ["quick"]
LIST = "^/admin/api/v1/order$"


@pytest.mark.django_db
@pytest.mark.parametrize("after", [3, 6, 11, 17])
def test_a_fill_that_was_broken_off_goes_on_and_misses_nothing(
    monkeypatch: pytest.MonkeyPatch, quick: None, after: int
) -> None:
    with sandbox(orders=600, days=30) as (_, merchant):
        monkeypatch.setattr(walking, "LARGEST_WINDOW", 60)
        calls, real = [], walking.Client.orders

        def dying(client: walking.Client, *window: dt.datetime, **part: int) -> walking.Page:
            calls.append(window)
            if len(calls) > after:
                raise NoAnswer("the line is cut")
            return real(client, *window, **part)

        with monkeypatch.context() as cut:
            cut.setattr(walking.Client, "orders", dying)
            with pytest.raises(NoAnswer):
                sync.sync(merchant, full=True)
        reached = Walk.objects.get(merchant=merchant, name="fill").reached
        read_again = []

        def watched(client: walking.Client, *window: dt.datetime, **part: int) -> walking.Page:
            if part.get("limit") != 1:
                read_again.append(window[0])
            return real(client, *window, **part)

        monkeypatch.setattr(walking.Client, "orders", watched)
        sync.sync(merchant)
        monkeypatch.undo()
        assert min(read_again) >= reached
        way = Walk.objects.get(merchant=merchant, name="fill")
        assert way.finished_at is not None
        assert way.reached == way.until >= reached
        assert SyncState.objects.get(merchant=merchant).synced_until == way.until
        assert list(sync.drift(merchant)) == []


def test_a_fill_says_how_far_it_is(lantern: Merchant, paysuper: Sandbox) -> None:
    heard: list[tuple[int, int]] = []
    report = sync.sync(lantern, full=True, progress=lambda read, total: heard.append((read, total)))
    assert heard[-1] == (report.read, report.read)


def test_young_orders_are_read_again_and_old_ones_later(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    with sandbox(orders=300, days=200) as (paysuper, merchant):
        sync.sync(merchant, full=True)
        old = Transaction.objects.filter(status="processed", type="order").earliest("created_at")
        charge_back(paysuper, old.uuid)
        names = []
        for _ in range(3):
            sync.rescan(merchant)
            names.append(Walk.objects.filter(merchant=merchant).latest("began_at").name)
        assert names == ["rescan-3", "rescan-30", "rescan-400"]
        old.refresh_from_db()
        assert old.status == "chargeback"
        before = asked(paysuper, LIST)
        sync.rescan(merchant)
        assert asked(paysuper, LIST) == before, "nothing was due"


def test_a_rescan_takes_short_turns_and_goes_on(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    with sandbox(orders=300, days=200) as (_, merchant):
        sync.sync(merchant, full=True)
        monkeypatch.setattr(walking, "LARGEST_WINDOW", 20)
        monkeypatch.setattr(runs, "RESCANS", {400: dt.timedelta(days=7)})
        read = [sync.rescan(merchant, seconds=0.0).read for _ in range(40)]
        way = Walk.objects.get(merchant=merchant, name="rescan-400")
        assert way.finished_at is not None
        assert max(read) <= 40 < sum(read)
        assert read[-1] == 0


def test_a_rescan_waits_for_the_first_fill(lantern: Merchant, paysuper: Sandbox) -> None:
    assert sync.rescan(lantern).read == 0


def test_repair_writes_what_paysuper_says(mirrored: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    entry = Transaction.objects.filter(type="order", status="processed").first()
    was = entry.charge_amount
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=was + 1)
    with pytest.raises(CommandError):
        call_command("check_drift", merchant_id=LANTERN, repair=True)
    assert "repaired" in capsys.readouterr().out
    entry.refresh_from_db()
    assert entry.charge_amount == was
    call_command("check_drift", merchant_id=LANTERN, deep=True)
    assert SyncState.objects.get().drift_found == 0


def test_deep_looks_at_items_too(mirrored: Merchant) -> None:
    entry = Transaction.objects.exclude(items=None).first()
    entry.items.all().delete()
    assert list(sync.drift(mirrored)) == []
    assert list(sync.drift(mirrored, deep=True)) == [f"{entry.pk}: its items differ"]


@pytest.mark.django_db
def test_a_bad_day_of_paysuper_ends_without_drift(quick: None) -> None:
    with sandbox(orders=400, days=20) as (paysuper, merchant):
        bad = {"probability": 0.05, "count": None}
        kinds = ("reset", "truncated", "lost_answer", "status")
        for kind in kinds:
            fault(paysuper, kind=kind, path="^/admin", status=503, **bad)
        for _ in range(60):
            try:
                sync.sync(merchant)
                sync.rescan(merchant)
            except NoAnswer:
                continue
        heal(paysuper)
        sync.sync(merchant)
        assert list(sync.drift(merchant, deep=True)) == []


def test_a_rescan_that_asks_nothing_does_not_hide_that_paysuper_is_down(
    mirrored: Merchant, paysuper: Sandbox, quick: None
) -> None:
    for _ in runs.RESCANS:
        sync.rescan(mirrored)
    fault(paysuper, kind="status", status=503, path="^/admin")
    with pytest.raises(NoAnswer):
        sync.sync(mirrored)
    sync.rescan(mirrored)
    assert SyncState.objects.get(merchant=mirrored).is_failing
