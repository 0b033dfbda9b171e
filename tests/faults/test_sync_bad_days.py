"""One call in five fails, in every way that the sandbox knows, while business goes on."""

import contextlib
import datetime as dt
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx2
import pytest

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Patience
from merchant.paysuper.errors import PaySuperError
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN
from tests.merchant.sandbox_client import client
from tests.transactions.syncing import charge_back, fault, heal, pay, sandbox
from tests.transactions.test_daily_totals import counted, kept
from transactions import sync
from transactions.models import SyncState, Transaction
from transactions.sync import runs, walking

FAILING = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "body": "<html>bad gateway</html>"},
    {"kind": "status", "status": 503, "retry_after": 1},
    {"kind": "status", "status": 429, "retry_after": 1},
    {"kind": "reset"},
    {"kind": "truncated"},
    {"kind": "lost_answer"},
)
ORDERS = "/admin/api/v1/order"
SHARE = 0.2
TURNS = 15


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses, few tries, small windows; old orders are always due."""
    patience = Patience(reads=2, pause=0.01, longest_pause=0.05)
    monkeypatch.setattr(line.client, "__defaults__", (patience,))
    monkeypatch.setattr(runs, "RESCANS", {400: dt.timedelta(0)})
    monkeypatch.setattr(walking, "LARGEST_WINDOW", 80)


def spoil(paysuper: Sandbox) -> None:
    """One call in five fails, each way as often as any other; one in ten is slow."""
    each = 1 - (1 - SHARE) ** (1 / len(FAILING))
    for failure in FAILING:
        fault(paysuper, path="^/admin", probability=each, **failure)
    fault(paysuper, path="^/admin", kind="latency", seconds=0.05, probability=0.1)


@contextlib.contextmanager
def business(paysuper: Sandbox) -> Iterator[Counter[str]]:
    """Payments, refunds and chargebacks keep arriving; gives how many there were."""
    stop, done, chance = threading.Event(), Counter(), random.Random(3)

    def trade() -> None:
        with client(paysuper) as line:
            while not stop.wait(0.05):
                paid = pay(paysuper)
                what = chance.choice(["paid", "refunded", "charged back"])
                if what == "refunded":
                    refund(line, str(paid))
                elif what == "charged back":
                    charge_back(paysuper, paid)
                done[what] += 1

    thread = threading.Thread(target=trade)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def refund(line: httpx2.Client, uuid: str) -> None:
    """Ask for a refund over the same bad line; whether it arrives does not matter here."""
    with contextlib.suppress(httpx2.HTTPError, ValueError):
        charge = line.get(f"{ORDERS}/{uuid}").json().get("order_charge", {})
        line.post(f"{ORDERS}/{uuid}/refunds", json={"amount": charge.get("amount"), "reason": "test"})


def fails(work: Callable[[Merchant], object], merchant: Merchant) -> bool:
    """Try once."""
    try:
        work(merchant)
    except PaySuperError:
        return True
    return False


@pytest.mark.django_db
def test_a_day_on_which_one_call_in_five_fails_ends_without_drift(hurried: None) -> None:
    random.seed(11)  # of the sandbox's faults
    with sandbox(orders=500, days=40) as (paysuper, merchant):
        before = len(
            httpx2.get(f"{paysuper.url}/sandbox/dump", params={"merchant": LANTERN}).text.splitlines()
        )
        spoil(paysuper)
        with business(paysuper) as events:
            works = [sync.sync, sync.rescan] * TURNS
            failures = [fails(work, merchant) for work in works]
        assert 0 < sum(failures) < len(works), "the day was too bad, or not bad at all"
        assert SyncState.objects.get(merchant=merchant).synced_until, "the first fill never ended"
        assert min(events[what] for what in ("paid", "refunded", "charged back")) > 0
        heal(paysuper)
        time.sleep(0.2)  # the last refund ends
        sync.sync(merchant)
        for _ in range(2):  # the one that had begun before, and one from the beginning
            sync.rescan(merchant)
        assert list(sync.drift(merchant, deep=True)) == []
        assert kept(merchant) == counted(merchant)
        entries = Transaction.objects.filter(merchant=merchant)
        assert entries.count() == len(set(entries.values_list("uuid", flat=True)))
        assert entries.count() >= before + sum(events.values())
