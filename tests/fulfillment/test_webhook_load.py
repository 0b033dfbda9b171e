"""The endpoint under many hands, and while the broker does not answer."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import httpx2
import pytest
from django.conf import settings
from django.db import connection
from pytest_django.live_server_helper import LiveServer

from fulfillment import inbox, tasks
from fulfillment.models import RefusalCount, WebhookEvent
from merchant.models import Merchant
from merchant.paysuper.signature import sign
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE, KETTLE_SECRET
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.webhook_events import event
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def post(url: str, body: bytes, secret: str = HARBOUR_SECRET, project: str = HARBOUR) -> int:
    headers = {"Authorization": sign(body, secret), "Content-Type": "application/json"}
    address = f"{url}/webhooks/paysuper/{project}/"
    return httpx2.post(address, content=body, headers=headers, timeout=10, trust_env=False).status_code


def test_two_hundred_deliveries_from_eight_threads_are_all_kept_once(
    live_server: LiveServer, lantern: Merchant, copper: Merchant
) -> None:
    orders = [uuid4() for _ in range(50)]
    bodies = [event(uuid, id=str(uuid), delivery_try=again) for again in range(4) for uuid in orders]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: post(live_server.url, body), bodies))
    assert answers == [200] * 200
    assert dict(WebhookEvent.objects.values_list("order_uuid", "deliveries")) == dict.fromkeys(orders, 4)


def test_the_true_ones_are_kept_among_forged_and_foreign_ones(
    live_server: LiveServer, lantern: Merchant, copper: Merchant
) -> None:
    def deliver(number: int) -> tuple[UUID, int]:
        uuid = uuid4()
        secret = (HARBOUR_SECRET, "forged", KETTLE_SECRET)[number % 3]
        return uuid, post(live_server.url, event(uuid, id=str(uuid)), secret)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(deliver, range(120)))
    assert sorted(status for _, status in answers) == [200] * 40 + [401] * 80
    kept = set(WebhookEvent.objects.values_list("order_uuid", flat=True))
    assert kept == {uuid for uuid, status in answers if status == 200}
    assert 0 < sum(RefusalCount.objects.values_list("count", flat=True)) <= 80
    assert post(live_server.url, event("x"), KETTLE_SECRET, KETTLE) == 200


@pytest.fixture
def dead() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def hanging() -> Iterator[int]:
    """A port where connections are made, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        yield silent.getsockname()[1]


@pytest.fixture
def served(lantern: Merchant, tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Starts the web server as it runs in production, with its broker at a port."""
    running = []

    def serve(broker: int) -> str:
        database = connection.settings_dict
        address = f"{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = os.environ | {
            "DATABASE_URL": f"postgres://{address}/{database['NAME']}",
            "REDIS_URL": f"redis://127.0.0.1:{broker}/0",
        }
        options = "--worker-class gthread --workers 1 --threads 4 --no-control-socket".split()
        command = [sys.executable, "-m", "gunicorn", "merchant.wsgi", "--bind", f"127.0.0.1:{port}", *options]
        log = (tmp_path / "web.log").open("w")
        process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        running.append((process, log))
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                httpx2.get(f"{url}/healthz", trust_env=False)
            except httpx2.HTTPError:
                time.sleep(0.1)
            else:
                return url
        raise AssertionError("the web server does not start")

    yield serve
    for process, log in running:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.mark.parametrize("broker", ["dead", "hanging"])
def test_without_a_broker_webhooks_are_taken_at_once_and_processed_by_the_sweeper(
    served: Callable[[int], str], desk: Desk, request: pytest.FixtureRequest, broker: str
) -> None:
    url, uuid, seconds = served(request.getfixturevalue(broker)), desk.pay(), []
    for number in range(12):
        body, began = event(uuid if number == 0 else uuid4(), id=str(number)), time.monotonic()
        assert post(url, body) == 200
        seconds.append(time.monotonic() - began)
    # The first one finds out; PaySuper would wait for ten seconds.
    assert max(seconds) < 8
    assert sorted(seconds)[-2] < 2
    assert WebhookEvent.objects.count() == 12
    row = WebhookEvent.objects.get(order_uuid=uuid)
    WebhookEvent.objects.filter(pk=row.pk).update(try_at=row.received_at)
    assert inbox.due() == [row.pk]
    tasks.process_webhook(row.pk)
    assert fresh(row).state == "processed"
    assert Transaction.objects.get().pk == uuid
