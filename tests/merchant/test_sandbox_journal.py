"""Restarts of the sandbox from its journal, and the command that runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.journal import JournalError
from tests.merchant.sandbox_client import LIST, client, order, pay, refund, refunds
from tests.merchant.sandbox_receiver import Receiver, eventually

ROOT = Path(__file__).parents[2]


@contextmanager
def running(state: Path, **options: object) -> Iterator[tuple[Sandbox, httpx2.Client]]:
    chosen = {"orders": 40, "seed": 5, "refund_delay": 0.05} | options
    with Sandbox(state=str(state), **chosen) as sandbox, client(sandbox) as api:
        yield sandbox, api


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "sandbox.journal"


def everything(api: httpx2.Client) -> object:
    return api.get(LIST, params={"limit": 1000}).json()


def test_a_restart_continues_with_payments_refunds_chargebacks_and_addresses(state: Path) -> None:
    with running(state) as (sandbox, api):
        refunded, charged = pay(api), pay(api, kind="key")
        refund(api, refunded)
        api.post(f"/sandbox/orders/{charged}/chargeback")
        project = order(api, charged)["project"]["id"]
        api.post("/sandbox/webhooks/url", json={"project_id": project, "url": "http://127.0.0.1:9/"})
        eventually(lambda: order(api, refunded)["status"] == "refunded")
        before, ledger = everything(api), api.get("/sandbox/ledger").json()
    with running(state) as (sandbox, api):
        assert everything(api) == before
        assert api.get("/sandbox/ledger").json() == ledger
        assert sandbox.world.store.projects[project].url == "http://127.0.0.1:9/"
        assert pay(api) not in str(before)


def test_a_refund_that_was_under_way_completes_after_the_restart(state: Path) -> None:
    with running(state, refund_delay=0.5) as (_, api):
        uuid = pay(api)
        refund(api, uuid)
    with running(state) as (_, api):
        assert [item["status"] for item in refunds(api, uuid)] == [2]
        eventually(lambda: order(api, uuid)["status"] == "refunded")
        assert api.get("/sandbox/ledger").json()["completed"][uuid] == 1


def test_a_notice_that_was_not_delivered_is_tried_on_after_the_restart(state: Path) -> None:
    with Receiver(500) as receiver:
        with running(state, webhook_url=receiver.url, webhook_retry_interval=0.3) as (_, api):
            pay(api)
            receiver.wait(1)
            eventually(lambda: api.get("/sandbox/webhooks").json()["webhooks"][0]["tries"] == 1)
        receiver.answers = [200]
        with running(state, webhook_url=receiver.url) as (_, api):
            assert [post.document["delivery_try"] for post in receiver.wait(2)] == [0, 1]


def test_a_payment_that_was_arriving_is_finished_after_the_restart(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("merchant.paysuper.sandbox.payments._STEP_SECONDS", 0.3)
    with running(state, orders=0, payments_per_minute=1200) as (_, api):
        eventually(lambda: api.get("/sandbox/").json()["orders"])
    with running(state, orders=0) as (_, api):
        eventually(lambda: statuses(api) == {"order.processed"})


def statuses(api: httpx2.Client) -> set[str]:
    return {name for merchant in api.get("/sandbox/").json()["merchants"] for name in merchant["orders"]}


def test_half_a_last_line_is_dropped(state: Path) -> None:
    with running(state) as (_, api):
        pay(api)
        before = everything(api)
    with state.open("ab") as journal:
        journal.write(b'{"orders":[{"uuid":"half')
    with running(state) as (_, api):
        assert everything(api) == before
        uuid = pay(api)
    with running(state) as (_, api):
        assert order(api, uuid)["status"] == "processed"


def test_the_journal_wins_over_other_options_and_says_so(state: Path) -> None:
    with running(state) as (_, api):
        before = everything(api)
    with running(state, seed=6, orders=50) as (sandbox, api):
        assert everything(api) == before
        assert sandbox.differences() == {"seed": (6, 5), "orders": (50, 40)}


@pytest.mark.parametrize("notes", ["my notes\n", "no newline", '{"orders":1}\n'])
def test_a_file_that_is_no_journal_is_refused_and_kept(state: Path, notes: str) -> None:
    state.write_text(notes)
    with pytest.raises(JournalError), Sandbox(state=str(state), orders=1):
        pass
    assert state.read_text() == notes


def test_a_stopped_sandbox_answers_nobody_not_even_on_an_open_connection() -> None:
    sandbox = Sandbox(orders=1)
    sandbox.start()
    with client(sandbox) as api:
        assert api.get(LIST).status_code == 200
        sandbox.stop()
        with pytest.raises(httpx2.HTTPError):
            api.get(LIST)


@pytest.mark.parametrize("options", [{"generation": 2020}, {"colour": "red"}, {"orders": "many"}])
def test_options_that_do_not_exist_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        Sandbox(**options)


def environment() -> dict[str, str]:
    """No database is there: the command must not ask for one."""
    needed = {
        "DJANGO_SETTINGS_MODULE": "merchant.settings",
        "SECRET_KEY": "for-this-test-only-" * 3,
        "ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "DEBUG": "true",
    }
    return os.environ | needed


def command(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", *options],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_survives_a_kill_and_stops_cleanly(state: Path) -> None:
    options = ("--port", "0", "--orders", "30", "--state", str(state), "--refund-delay", "0.1")
    with command(*options) as process:
        url = ready(process)
        with httpx2.Client(base_url=url) as api:
            uuid = pay(api)
            process.kill()
    with command(*options, "--seed", "9") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "The journal wins: --seed is 1, not 9.\n"
        headers = {"Authorization": "Bearer sandbox-lantern-owner-token"}
        with httpx2.Client(base_url=ready(process), headers=headers) as api:
            assert order(api, uuid)["status"] == "processed"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_the_command_plays_the_old_generation_with_short_lived_tokens() -> None:
    with command("--port", "0", "--orders", "3", "--generation", "2019", "--token-life", "60") as process:
        with httpx2.Client(base_url=ready(process)) as api:
            assert api.get("/sandbox/").json()["generation"] == 2019
            grant = {"grant_type": "refresh_token", "refresh_token": "sandbox-lantern-owner-refresh-token"}
            assert api.post("/sandbox/token", json=grant).json()["expires_in"] == 60
        process.kill()


def ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Sandbox PaySuper is ready at http://127.0.0.1:"), process.communicate()
    return line.split()[-1]


def test_a_busy_port_is_one_sentence_and_exit_code_1() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        command("--port", str(taken.getsockname()[1])) as process,
    ):
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.count("\n") == 1
    assert "The sandbox cannot start" in errors


def test_a_hundred_thousand_orders_are_ready_soon_and_windows_stay_quick() -> None:
    started = time.monotonic()
    with Sandbox(orders=100_000, seed=1) as sandbox, client(sandbox) as api:
        assert time.monotonic() - started < 10
        newest = api.get(LIST, params={"limit": 1, "sort[]": "-created_at"}).json()["items"][0]
        begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(newest["created_at"]["seconds"] - 3600))
        started = time.monotonic()
        page = api.get(LIST, params={"project_date_from": begin, "limit": 1000}).json()
        assert time.monotonic() - started < 1
        assert page["count"] > 0
