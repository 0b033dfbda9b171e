"""Web server and workers that are told to stop finish what they are at, or give it back."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from fulfillment import tasks
from merchant import measures
from merchant.embedded import PROJECT, ports
from merchant.embedded.supervisor import procfile
from merchant.models import Merchant
from tests.fulfillment.test_worker import PATIENCE, kill
from tests.merchant.sandbox_receiver import eventually

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a program of the Procfile on the tests' database and broker. None outlives the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(name: str, **variables: str) -> subprocess.Popen[bytes]:
        place = connection.settings_dict
        database = f"{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
        addresses = {"DATABASE_URL": f"postgres://{database}", "REDIS_URL": settings.REDIS_URL}
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = procfile(PROJECT / "Procfile")[name].replace("--concurrency 2", "--concurrency 1")
        with (tmp_path / f"{name}.log").open("w") as log:
            running.append(
                subprocess.Popen(
                    ["/bin/sh", "-c", f"exec {command}"],
                    env=os.environ | addresses | {"PATH": programs} | variables,
                    cwd=PROJECT,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )
        return running[-1]

    yield start
    for each in running:
        kill(each)


@contextlib.contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody reads the table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


def somebody_waits() -> bool:
    place = connection.settings_dict
    # In a line of its own: inside a transaction the view never changes.
    with psycopg.connect(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=place["NAME"],
    ) as line:
        row = line.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s",
            [place["NAME"]],
        ).fetchone()
    return row[0] > 0


def test_a_request_that_is_under_way_is_answered_before_the_web_server_ends(start: Start) -> None:
    port, answers = ports.free(), []
    web, url = start("web", PORT=str(port)), f"http://127.0.0.1:{port}"

    def up() -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{url}/healthz").status_code == 200
        return False

    eventually(up, PATIENCE)
    asking = threading.Thread(target=lambda: answers.append(httpx2.get(f"{url}/readyz", timeout=30)))
    with held("django_migrations"):
        asking.start()
        eventually(somebody_waits, PATIENCE)
        web.send_signal(signal.SIGTERM)
        eventually(lambda: not up(), PATIENCE)
        assert web.poll() is None
    asking.join(PATIENCE)
    assert answers[0].json()["migrations"] is True
    assert web.wait(PATIENCE) == 0


def test_a_task_that_is_under_way_is_finished_before_the_worker_ends(
    start: Start, lantern: Merchant, tmp_path: Path
) -> None:
    worker = start("worker")
    with held("fulfillment_action"):
        tasks.run_action.delay(4711)
        eventually(somebody_waits, PATIENCE)
        worker.send_signal(signal.SIGTERM)
        eventually(lambda: "soft shutdown" in (tmp_path / "worker.log").read_text().lower(), PATIENCE)
    worker.wait(PATIENCE)
    assert "task_failed" in (tmp_path / "worker.log").read_text()  # it came to its end: no such row
    assert measures.line().llen("money") == 0


def test_a_task_that_does_not_end_in_time_is_given_back(start: Start, lantern: Merchant) -> None:
    worker = start("worker")
    with held("fulfillment_action"):
        tasks.run_action.delay(4711)
        eventually(somebody_waits, PATIENCE)
        worker.send_signal(signal.SIGTERM)
        worker.wait(PATIENCE)
        [message] = measures.line().lrange("money", 0, -1)
    assert json.loads(message)["headers"]["task"] == "fulfillment.tasks.run_action"
