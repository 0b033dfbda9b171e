"""Two syncs at once, a PaySuper that fails, and orders that cannot be read."""

import datetime as dt
import json
import threading
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from merchant.models import Merchant, Project
from merchant.paysuper.errors import NoAnswer, NotAllowed, NotSent, PaySuperError, Unexpected
from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.catalogue import MERCHANT_BY_ID
from tests.conftest import COPPER, LANTERN, connect
from tests.merchant.examples import FOLDER
from tests.merchant.sandbox_client import OWNER
from tests.transactions.syncing import LIST, asked, fault, heal, mirror, pay, sandbox
from transactions import sync, tasks
from transactions.models import SyncState, Transaction
from transactions.sync import walking


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
def test_the_token_of_another_merchant_fills_nothing_and_says_so(paysuper: Sandbox) -> None:
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, "sandbox-copper-owner-token")
    with pytest.raises(Unexpected, match="token is of another merchant"):
        sync.sync(merchant, full=True)
    with pytest.raises(Unexpected, match="token is of another merchant"):
        sync.refresh(merchant, next(iter(foreign(paysuper))))
    assert "another merchant" in sync.read_projects(merchant).error
    assert not Transaction.objects.exists()
    assert not Project.objects.filter(merchant=merchant).exists()
    assert "another merchant" in SyncState.objects.get(merchant=merchant).error


def foreign(paysuper: Sandbox) -> list[UUID]:
    """Orders of the other merchant at the sandbox."""
    mine = {project.id for project in MERCHANT_BY_ID[COPPER].projects}
    return [UUID(order.uuid) for order in paysuper.world.store.orders.values() if order.project_id in mine]
