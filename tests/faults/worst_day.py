"""The worst of days: staff clicks, webhooks pour in, and everything that can die does; then the proofs."""

import contextlib
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import httpx2

from merchant.paysuper.sandbox import catalogue
from tests.faults.installation import WORKERS, Installation

MERCHANT = catalogue.MERCHANTS[0].id
PROJECT = catalogue.MERCHANTS[0].projects[0].id
OPEN = "('requested', 'sending', 'accepted', 'unknown')"
_PEOPLE = 8


@dataclass
class Day:
    """What was asked for and what was done to the installation."""

    orders: list[UUID]
    killed: list[str] = field(default_factory=list)


def worst_day(
    installation: Installation, *, orders: int, clicks: int, seconds: float, seed: int, deadly: bool = True
) -> Day:
    """Eight people press Refund `clicks` times on so many orders, PaySuper misbehaves, and clocks jump.

    On a deadly day everything dies and comes back meanwhile.
    """
    chance = random.Random(seed)
    day = Day([installation.desk.pay(project_id=PROJECT, kind="simple") for _ in range(orders)])
    eventually(lambda: all_mirrored(installation, day.orders), 60, "the payments arrive")
    misbehave(installation)
    wishes = [chance.choice(day.orders) for _ in range(clicks - orders)] + day.orders
    chance.shuffle(wishes)
    over = threading.Event()
    signed_in = contextlib.closing(installation.signed_in())
    with signed_in as browser, ThreadPoolExecutor(_PEOPLE + 1) as people:
        pause = seconds * _PEOPLE / clicks
        for start in range(_PEOPLE):
            people.submit(_click, browser, wishes[start::_PEOPLE], pause)
        people.submit(_pay, installation, over)
        if deadly:
            # Here and not in a thread of its own: what is started ends with the thread that started it.
            day.killed = _kill(installation, chance, time.monotonic() + seconds)
        else:
            over.wait(seconds)
        over.set()
    installation.desk.api.delete("/sandbox/faults")
    installation.desk.api.delete("/sandbox/webhooks/faults")
    return day


def all_mirrored(installation: Installation, orders: list[UUID]) -> bool:
    """Whether the mirror has all of these orders, as processed."""
    statement = (
        "SELECT count(*) AS n FROM transactions_transaction WHERE uuid = ANY(%s) AND status = 'processed'"
    )
    return installation.rows(statement, orders)[0]["n"] == len(orders)


def misbehave(installation: Installation) -> None:
    """PaySuper loses answers, is late, fails, cuts off, forgets tokens, and would also refund twice."""
    desk = installation.desk
    desk.fault("no_race_guard", count=None, seconds=0.02)
    for kind in ("lost_answer", "truncated", "reset"):
        desk.fault(kind, count=None, probability=0.1)
    desk.refuse(500, "", count=None, probability=0.05)
    desk.refuse(401, "", count=None, probability=0.05)
    desk.fault("latency", count=None, probability=0.1, seconds=0.5)
    desk.refuse(503, "", method="GET", path="", count=None, probability=0.05)
    for kind in ("duplicate", "delay", "swap", "wrong_signature"):
        desk.webhook_fault(kind, count=15, seconds=0.5)


def _click(browser: httpx2.Client, wishes: list[UUID], pause: float) -> None:
    """Somebody opens the question and says yes, and goes on when the page is down."""
    for order in wishes:
        # Trouble of the web server or the database: the person sees it and presses again later.
        with contextlib.suppress(httpx2.HTTPError, IndexError):
            refund(browser, order)
        time.sleep(pause)


def refund(browser: httpx2.Client, order: UUID) -> int:
    """Press Refund as the page asks for it; the status of the answer."""
    path = f"/transactions/{order}/refund/"
    page = browser.get(path).text
    fields = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in
              ("csrfmiddlewaretoken", "seen_amount", "seen_currency")}  # fmt: skip
    return browser.post(path, data=fields | {"reason": "Customer's request", "note": ""}).status_code


def _kill(installation: Installation, chance: random.Random, until: float) -> list[str]:
    """One after the other dies and comes back, each at least once; who did."""
    ways = deaths(installation)
    killed: list[str] = []
    while time.monotonic() < until or len(killed) < len(ways):
        time.sleep(chance.uniform(0.5, 2.5))
        installation.revive()
        name = chance.choice([name for name in ways if name not in killed] or list(ways))
        ways[name]()
        killed.append(name)
    return killed


def deaths(installation: Installation) -> dict[str, Callable[[], object]]:
    """Every way in which something dies and comes back, or a clock jumps."""
    return {
        "workers": lambda: [installation.kill(name) for name in WORKERS],
        "broker, flushed": lambda: installation.kill_broker(flushed=True),
        "web": lambda: installation.kill("web"),
        "database": installation.kill_database,
        "beat": lambda: installation.kill("beat"),
        "broker": lambda: installation.kill_broker(flushed=False),
        "clock, set back": lambda: _jump(installation, -5),
        "clock, set forward": lambda: _jump(installation, 5),
    }


def _jump(installation: Installation, hours: int) -> None:
    """All that waits seems to wait for another time: the clock it was written by has jumped."""
    by = f"interval '{-hours} hours'"
    times = f"look_at = look_at + {by}"
    if hours < 0:
        times += f", send_at = send_at + {by}"
    for statement in (
        f"UPDATE fulfillment_action SET {times} WHERE state IN {OPEN}",
        f"UPDATE fulfillment_webhookevent SET try_at = try_at + {by} WHERE state = 'received'",
    ):
        installation.rows(statement)


def _pay(installation: Installation, over: threading.Event) -> None:
    """Customers go on buying, and banks take money back."""
    while not over.wait(0.5):
        bought = installation.desk.pay(project_id=PROJECT)
        if over.wait(0.2):
            return
        with contextlib.suppress(AssertionError):  # not every payment can be charged back
            installation.desk.charge_back(bought)


def come_to_rest(installation: Installation, patience: float, *, crowded: bool = False) -> None:
    """Let it run on with a PaySuper in good health until nothing is under way. Waiting is cut short.

    Where it is `crowded`, webhooks that never had a turn are left to the sweeper, which would ring for them
    again and again.
    """
    tried = "AND attempts > 0 AND try_at > now()" if crowded else ""

    def quiet() -> bool:
        installation.revive()
        # What would only wait for a time to pass, passes it: the clock of the rows is turned back.
        installation.rows(
            "UPDATE fulfillment_action SET look_at = now(), send_at = least(send_at, now()), "
            f"sent_at = sent_at - interval '4 minutes' WHERE state IN {OPEN} AND look_at > now()"
        )
        installation.rows(
            f"UPDATE fulfillment_webhookevent SET try_at = now() WHERE state = 'received' {tried}"
        )
        return not unfinished(installation)

    eventually(quiet, patience, lambda: f"all ends: {unfinished(installation)}")


def unfinished(installation: Installation) -> list[dict[str, object]]:
    """Refunds under way and webhooks that wait."""
    waiting = "SELECT id, event AS what, error FROM fulfillment_webhookevent WHERE state = 'received'"
    under_way = f"SELECT id, state AS what, outcome FROM fulfillment_action WHERE state IN {OPEN}"
    return installation.rows(under_way) + installation.rows(waiting)


def eventually(condition: Callable[[], bool], patience: float, what: str | Callable[[], str]) -> None:
    """Look again and again until it holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, what if isinstance(what, str) else what()
        time.sleep(0.5)
