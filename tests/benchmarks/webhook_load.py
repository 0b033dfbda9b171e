"""The webhook endpoint on a busy day: at a steady rate while a sync runs, and a long queue to drain."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from django.conf import settings

from fulfillment import inbox
from fulfillment.models import WebhookEvent
from merchant.models import Merchant, Project
from tests.benchmarks import webhook, world
from tests.benchmarks.measure import Line, Sizes
from tests.conftest import HARBOUR
from transactions import sync
from transactions.models import Transaction

_RATE = 200  # events a second
_LINES = 8
_UNTIMED = 50
_SLOWEST = 0.99
# As the Procfile starts the worker that syncs. PaySuper is on other machines in life and here gives way too.
_GIVING_WAY = ("nice", "-n", "10")


def measure(sizes: Sizes) -> Iterator[Line]:
    """The slowest hundredth of the answers, and the memory of draining."""
    yield _steady(sizes)
    yield _drained(sizes)


def _steady(sizes: Sizes) -> Line:
    with world.paysuper(sizes.fill, *_GIVING_WAY) as merchant, webhook.server() as port, _syncing(merchant):
        webhook.delivered(port, f"/webhooks/paysuper/{HARBOUR}/", _UNTIMED)
        pairs = [
            (_slowest(port, "webhooks/paysuper", sizes), _slowest(port, "peer", sizes))
            for _ in range(sizes.rounds)
        ]
    ours, peers = zip(*pairs, strict=True)
    return Line(
        f"Webhook at {_RATE}/s while a sync runs: 99 of 100 answered within",
        f"{min(ours):.0f}–{max(ours):.0f} ms",
        f"{min(peers):.0f}–{max(peers):.0f} ms: verify and INSERT on the same server",
        list(ours),
        50,
        at_least=False,
        unit=" ms",
    )


class _syncing:  # noqa: N801 - reads as a verb
    """Syncs one after the other in a process of their own, for as long as the block lasts."""

    def __init__(self, merchant: Merchant) -> None:
        self.merchant, self.over = merchant, threading.Event()

    def __enter__(self) -> None:
        world.empty()
        self.thread = threading.Thread(target=self._sync)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _sync(self) -> None:
        while not self.over.is_set():
            _in_a_process("filling", *_GIVING_WAY)


def _slowest(port: int, path: str, sizes: Sizes) -> float:
    """Milliseconds within which 99 of 100 events were answered, counted from when each was due."""
    requests = [webhook.request(f"/{path}/{HARBOUR}/") for _ in range(sizes.events)]
    begin = time.perf_counter() + 0.1
    with ThreadPoolExecutor(_LINES) as threads:
        lines = threads.map(lambda number: _paced(port, requests, number, begin), range(_LINES))
    waits = sorted(wait for line in lines for wait in line)
    return waits[int(len(waits) * _SLOWEST)] * 1000


def _paced(port: int, requests: list[bytes], number: int, begin: float) -> list[float]:
    """Every so-manieth event at its moment; how long each took."""
    waits = []
    with webhook.Line(port) as line:
        for place in range(number, len(requests), _LINES):
            due = begin + place / _RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            line.send(requests[place])
            waits.append(time.perf_counter() - due)
    return waits


def _drained(sizes: Sizes) -> Line:
    with world.paysuper(sizes.fill_small) as merchant:
        world.empty()
        sync.sync(merchant, full=True)
        few, many = _drain(sizes.drain_small), _drain(sizes.drain)
    return Line(
        f"Memory of draining {sizes.drain:,} queued events",
        f"{many['megabytes']:.0f} MB at most, {many['events'] / many['seconds']:,.0f} events/s",
        f"{few['megabytes']:.0f} MB at most for {sizes.drain_small:,} events",
        [many["megabytes"] - few["megabytes"]],
        30,
        at_least=False,
        unit=" MB",
    )


def _drain(events: int) -> dict[str, Any]:
    """So many events of known orders, stored and then processed in a process of its own."""
    WebhookEvent.objects.all().delete()
    project = Project.objects.get(paysuper_id=HARBOUR)
    orders = list(Transaction.objects.filter(project=project, type="order").values_list("pk", flat=True))
    for number in range(events):
        order = {"id": str(orders[number % len(orders)]), "status": "processed"}
        event = {"id": uuid4().hex, "event": "payment.success", "object": order}
        inbox.store(project, inbox.Delivery(json.dumps(event).encode()))
    said = _in_a_process("draining")
    if WebhookEvent.objects.filter(state="received").exists():
        raise RuntimeError("not every event was processed")
    return said


def _in_a_process(name: str, *before: str) -> dict[str, Any]:
    command = [*before, sys.executable, "-m", f"tests.benchmarks.{name}"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)
