"""Syncs in processes of their own: killed at any point, two at once, one beside a failing one."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from merchant.models import Merchant
from merchant.money import rounded
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import COPPER, LANTERN, connect
from tests.merchant.sandbox_client import OWNER, client
from tests.transactions.syncing import asked, charge_back, fault, heal, pay
from tests.transactions.test_daily_totals import counted, kept
from transactions import sync
from transactions.models import SyncState, Transaction, Walk

LIST = "^/admin/api/v1/order$"
COPPER_OWNER = "sandbox-copper-owner-token"
KILLS = 6
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def large() -> Iterator[Sandbox]:
    """Orders for several windows of several pages."""
    with Sandbox(orders=5000, days=60, seed=5, refund_delay=0.05, webhook_url="") as paysuper:
        yield paysuper


def started(merchant_id: str, *options: str) -> subprocess.Popen[str]:
    """`manage.py sync_transactions` on the database of the tests."""
    there = connection.settings_dict
    place = f"{there['HOST']}:{there['PORT']}/{there['NAME']}"
    address = f"postgres://{there['USER']}:{there['PASSWORD']}@{place}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "sync_transactions", "--merchant-id", merchant_id, *options],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and all that was printed."""
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def killed(process: subprocess.Popen[str], paysuper: Sandbox, calls: int, later: float) -> bool:
    """SIGKILL after so many calls and a moment; False when the process had ended by then."""
    before = asked(paysuper, LIST)
    while process.poll() is None and asked(paysuper, LIST) < before + calls:
        time.sleep(0.01)
    time.sleep(later)
    ended = process.poll() is not None
    process.kill()
    process.communicate()
    return not ended


def killed_beyond_a_window(process: subprocess.Popen[str], merchant: Merchant) -> None:
    """SIGKILL as soon as the fill has kept that it got further."""
    walks = Walk.objects.filter(merchant=merchant, name="fill").values_list("reached", flat=True)
    before = list(walks.all())
    while list(walks.all()) in ([], before):
        assert process.poll() is None, "the fill was too quick to be killed"
        time.sleep(0.01)
    process.kill()
    process.communicate()


def at_paysuper(paysuper: Sandbox, merchant_id: str = LANTERN) -> dict[UUID, tuple[str, Decimal]]:
    """Status and sum of all orders, from the sandbox's own dump."""
    with client(paysuper) as line:
        dump = line.get("/sandbox/dump", params={"merchant": merchant_id}).text
    orders = [json.loads(each, parse_float=Decimal) for each in dump.splitlines()]
    return {
        UUID(each["uuid"]): (each["status"], rounded(Decimal(each["total_payment_amount"]), each["currency"]))
        for each in orders
    }


def mirrored(merchant: Merchant) -> dict[UUID, tuple[str, Decimal]]:
    rows = Transaction.objects.filter(merchant=merchant).values_list("uuid", "status", "total_amount")
    return {uuid: (status, amount) for uuid, status, amount in rows}


def test_a_sync_that_is_killed_at_any_point_ends_equal_to_paysuper(large: Sandbox) -> None:
    merchant = connect(LANTERN, "Lantern Works GmbH", large.url, OWNER)
    fault(large, kind="latency", seconds=0.05, path=LIST)  # else it is done before it can be killed
    chance, kills = random.Random(7), 0
    while kills < KILLS:
        paid = pay(large)
        if kills % 2:
            charge_back(large, paid)
        process = started(LANTERN, "--full")
        kills += killed(process, large, chance.randint(1, 9), chance.uniform(0, 0.2))
        assert kept(merchant) == counted(merchant)
    killed_beyond_a_window(started(LANTERN, "--full"), merchant)
    heal(large)
    for options in (["--full"], []):
        while (end := finished(started(LANTERN, *options)))[0]:
            # The database needs a moment to notice that the last one is dead.
            assert "already running" in end[1]
    assert mirrored(merchant) == at_paysuper(large)
    assert list(sync.drift(merchant, deep=True)) == []
    assert kept(merchant) == counted(merchant)


def test_of_two_processes_at_once_one_is_refused(paysuper: Sandbox) -> None:
    merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, OWNER)
    fault(paysuper, kind="latency", seconds=6, path=LIST, count=1)
    first = started(LANTERN, "--full")
    while first.poll() is None and not asked(paysuper, LIST):
        time.sleep(0.01)
    code, said = finished(started(LANTERN))
    assert (code, "already running" in said) == (1, True)
    assert first.poll() is None, "the first had ended too early to be in the way"
    assert finished(first)[0] == 0
    assert mirrored(merchant) == at_paysuper(paysuper)
    assert not SyncState.objects.get(merchant=merchant).is_failing


def test_merchants_sync_beside_one_that_fails(paysuper: Sandbox) -> None:
    lantern = connect(LANTERN, "Lantern Works GmbH", paysuper.url, OWNER)
    copper = connect(COPPER, "Copper Kettle Ltd", paysuper.url, COPPER_OWNER)
    locked_out = connect("e" * 24, "Locked Out SA", paysuper.url, "a-token-that-nobody-knows")
    ends = [finished(each) for each in [started(one.paysuper_id) for one in (lantern, locked_out, copper)]]
    assert [code for code, _ in ends] == [0, 1, 0], ends
    assert mirrored(lantern) == at_paysuper(paysuper)
    assert mirrored(copper) == at_paysuper(paysuper, COPPER)
    assert mirrored(locked_out) == {}
    assert SyncState.objects.get(merchant=locked_out).is_failing
