"""A real worker process: it is killed in the middle of a refund, and keeps its line to the database."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from fulfillment import tasks
from fulfillment.models import Action
from fulfillment.tasks import sweep_actions
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from tests.fulfillment.refunding import form
from tests.merchant.sandbox_receiver import eventually
from transactions.models import Transaction

QUEUES = "celery,money,inbox,mail,sync,exports"
PATIENCE = 45  # seconds: a worker needs some to start on a busy machine
State = Action.State
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(transactional_db: None, tmp_path: Path) -> Iterator[Start]:
    """Starts a worker on the tests' own database and broker. None outlives the test."""
    database = connection.settings_dict
    place = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
    addresses = {
        "DATABASE_URL": f"postgres://{place}/{database['NAME']}",
        "REDIS_URL": settings.REDIS_URL,
    }
    workers: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "merchant", "worker", "-Q", QUEUES]
        name = f"test-{os.getpid()}-{len(workers)}@%h"
        with (tmp_path / f"worker{len(workers)}.log").open("w") as log:
            worker = subprocess.Popen(
                [*command, "--concurrency", "1", "-n", name, "-l", "INFO"],
                env=os.environ | addresses,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """The process and its children, without a word of warning."""
    with contextlib.suppress(ProcessLookupError):  # killed by the test itself
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(10)


def ask_by_browser(who: Person, order: Transaction) -> Action:
    assert who.browser.post(f"/transactions/{order.pk}/refund/", form(order)).status_code == 302
    return Action.objects.get(transaction=order)


def comes_to(action: Action, state: str) -> None:
    """The clock rings until the worker has brought the refund to this state."""

    def there() -> bool:
        if fresh(action).state == state:
            return True
        Action.objects.filter(pk=action.pk).exclude(state=State.SENDING).update(look_at=timezone.now())
        tasks.sweep_actions()
        return False

    eventually(there, PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_a_worker_sends_what_was_asked_for_and_a_killed_one_causes_no_second_refund(
    ben: Person, desk: Desk, lantern: Merchant, start: Start
) -> None:
    quiet, killed = mirrored_order(lantern, desk), mirrored_order(lantern, desk)
    worker = start()
    action = ask_by_browser(ben, quiet)
    eventually(lambda: fresh(action).state != State.REQUESTED, PATIENCE)  # by its own bell
    comes_to(action, State.REFUNDED)
    assert fresh(quiet).status == "refunded"
    assert desk.posts(quiet.pk) == desk.completed(quiet.pk) == 1

    desk.fault("latency", seconds=1)
    action = ask_by_browser(ben, killed)
    eventually(lambda: fresh(action).state == State.SENDING and desk.posts(killed.pk) == 1, PATIENCE)
    kill(worker)
    assert fresh(action).state == State.SENDING
    start()
    eventually(lambda: desk.completed(killed.pk))  # PaySuper never noticed that nobody listened
    tasks.sweep_actions()
    assert fresh(action).state == State.SENDING  # too early to take the worker for dead
    Action.objects.filter(pk=action.pk).update(look_at=timezone.now())
    comes_to(action, State.REFUNDED)
    assert fresh(killed).status == "refunded"
    assert desk.posts(killed.pk) == desk.completed(killed.pk) == len(desk.refunds(killed.pk)) == 1
    eventually(
        lambda: Transaction.objects.filter(parent_uuid__in=[quiet.pk, killed.pk]).count() == 2, PATIENCE
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_keeps_its_line_to_the_database_and_takes_a_new_one_when_that_has_broken(
    start: Start, tmp_path: Path
) -> None:
    start()
    first = line_after(tmp_path, tasks=1)
    assert line_after(tmp_path, tasks=2) == first
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [first])
    assert line_after(tmp_path, tasks=3) != first
    assert "task_failed" not in (tmp_path / "worker0.log").read_text()


def line_after(folder: Path, *, tasks: int) -> int:
    """Gives the worker one more task; when it has done so many, which process of PostgreSQL serves it."""
    sweep_actions.delay()
    eventually(lambda: (folder / "worker0.log").read_text().count("task_succeeded") == tasks, PATIENCE)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        [(line,)] = cursor.fetchall()
    return line
