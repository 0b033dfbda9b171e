"""All that goes on in a dashboard at once: people look, refund and export, customers pay, webhooks come."""

import contextlib
import itertools
import random
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import httpx2
import psycopg

from merchant.paysuper.sandbox import catalogue
from merchant.paysuper.signature import sign
from tests.faults.installation import Installation
from tests.faults.worst_day import PROJECT, refund
from tests.fulfillment.webhook_events import event

PAGES = [
    "/transactions/",
    "/transactions/?status=processed",
    "/transactions/?status=refunded&sort=created",
    "/transactions/?q=example",
    "/",
    "/refunds/",
    "/to-fulfil/",
    "/exports/",
    "/webhooks/",
    "/operations/",
]
CARD = "a card"
_SECRET = catalogue.MERCHANTS[0].projects[0].secret
_LINES = 4
_TRIES = 30
# So much may wait: where the machine is slower than the load, the load waits for it.
_WEBHOOKS_WAITING, _EXPORTS_WAITING = 500, 3
# A person refunds what was paid so many seconds ago: until then it has been read.
_READ_AFTER = 20.0


class MixedLoad:
    """The load, from `begin` until `end`. `phase` stands beside everything that is noted."""

    def __init__(
        self, installation: Installation, *, webhooks: float, people: int, orders: list[UUID]
    ) -> None:
        self.installation, self.webhooks, self.people, self.known = installation, webhooks, people, orders
        self.phase, self.over = "", threading.Event()
        self.milliseconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self.failures: Counter[tuple[str, str]] = Counter()
        self.paid: deque[tuple[float, UUID]] = deque()
        self.refunding: list[UUID] = []
        self.delivered: set[str] = set()
        self.exports: list[str] = []
        self.unforeseen: list[str] = []
        self.waited, self.looked = 0.0, {}
        self.threads: list[threading.Thread] = []

    def begin(self) -> None:
        """From now on."""
        lines = [self._deliver] * _LINES if self.webhooks else []
        for work in (
            *[self._browse] * self.people,
            *lines,
            self._refund,
            self._refund,
            self._pay,
            self._export,
        ):
            thread = threading.Thread(target=self._guarded, args=(work,), name=work.__name__)
            thread.start()
            self.threads.append(thread)

    def end(self) -> None:
        """No more, once what is under way has ended."""
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _guarded(self, work: Callable[[random.Random], None]) -> None:
        chance = random.Random(threading.get_ident())
        while not self.over.is_set():
            try:
                work(chance)
            except (httpx2.HTTPError, AssertionError, KeyError):
                self.over.wait(1)  # nobody signs in while everything is down
            except Exception as error:  # noqa: BLE001 - the load goes on; the report tells
                self.unforeseen.append(f"{work.__name__}: {error!r}")
                self.over.wait(1)

    def _browse(self, chance: random.Random) -> None:
        """Somebody looks at one page after the other."""
        with self._signed_in() as browser:
            while not self.over.is_set():
                page = chance.choice([*PAGES, CARD])
                path = f"/transactions/{chance.choice(self.known)}/" if page == CARD else page
                self._timed(page, lambda path=path: browser.get(path))
                self.over.wait(chance.uniform(0.2, 0.8))

    def _deliver(self, chance: random.Random) -> None:
        """PaySuper tells of orders, each time until it was heard."""
        with httpx2.Client(base_url=self.installation.address, timeout=15) as paysuper:
            due = time.monotonic()
            while not self.over.is_set():
                if self._is_too_much("fulfillment_webhookevent", "'received'", _WEBHOOKS_WAITING):
                    continue
                due = max(due + _LINES / self.webhooks, time.monotonic() - 5)
                self.over.wait(max(0.0, due - time.monotonic()))
                key = uuid4().hex * 2
                body = event(chance.choice(self.known), id=key)
                if self._heard(paysuper, body):
                    self.delivered.add(key)

    def _heard(self, paysuper: httpx2.Client, body: bytes) -> bool:
        headers = {"Authorization": sign(body, _SECRET), "Content-Type": "application/json"}
        path = f"/webhooks/paysuper/{PROJECT}/"
        for _ in range(_TRIES):
            answer = self._timed("webhook", lambda: paysuper.post(path, content=body, headers=headers))
            if answer is not None and answer.status_code == 200:
                return True
            if self.over.wait(1):
                return False
        return False

    def _pay(self, chance: random.Random) -> None:
        """Customers go on buying, and now and then a bank takes money back."""
        for number in itertools.count():
            if self.over.wait(chance.uniform(0.5, 1.5)):
                return
            order = self.installation.desk.pay(project_id=PROJECT, kind="simple")
            if number % 10 == 9:
                with contextlib.suppress(AssertionError):  # not every payment can be charged back
                    self.installation.desk.charge_back(order)
            else:
                self.paid.append((time.monotonic(), order))

    def _refund(self, chance: random.Random) -> None:
        """Somebody gives money back, and sometimes presses once more."""
        with self._signed_in() as browser:
            while not self.over.is_set():
                if not self.paid or self.paid[0][0] > time.monotonic() - _READ_AFTER:
                    self.over.wait(0.5)
                    continue
                _, order = self.paid.popleft()
                self.refunding.append(order)
                for _ in range(chance.choice([1, 1, 2])):
                    # The person sees that it went wrong and goes on; the order may have been refunded or not.
                    with contextlib.suppress(httpx2.HTTPError, IndexError):
                        began = time.monotonic()
                        if refund(browser, order) < 500:
                            self._note("press Refund", began)

    def _export(self, chance: random.Random) -> None:
        """Somebody wants a file."""
        with self._signed_in() as browser:
            while not self.over.wait(chance.uniform(8, 15)):
                if self._is_too_much("transactions_export", "'waiting', 'running'", _EXPORTS_WAITING):
                    continue
                browser.get("/exports/")
                form = {
                    "format": chance.choice(["csv", "xlsx", "pdf"]),
                    "query": "",
                    "csrfmiddlewaretoken": "",
                }
                form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
                answer = self._timed(
                    "ask for an export", lambda form=form: browser.post("/exports/", data=form)
                )
                if answer is not None and answer.status_code == 302:
                    self.exports.append(answer.headers["location"])

    def _is_too_much(self, table: str, states: str, limit: int) -> bool:
        """Whether so many rows wait already; looks every few seconds, and waits a second when it is so."""
        until, found = self.looked.get(table, (0.0, False))
        if time.monotonic() > until:
            with contextlib.suppress(psycopg.Error):
                counted = f"SELECT count(*) > {limit} AS yes FROM {table} WHERE state IN ({states})"
                found = self.installation.rows(counted)[0]["yes"]
            self.looked[table] = (time.monotonic() + 3, found)
        if found:
            self.waited += 1 / _LINES if "webhook" in table else 0
            self.over.wait(1)
        return found

    @contextlib.contextmanager
    def _signed_in(self) -> Iterator[httpx2.Client]:
        with contextlib.closing(self.installation.signed_in("owner@lantern.example")) as browser:
            yield browser

    def _timed(self, name: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response | None:
        began = time.monotonic()
        try:
            answer = ask()
        except httpx2.HTTPError:
            self.failures[self.phase, "no answer"] += 1
            return None
        if answer.status_code >= 400:
            self.failures[self.phase, f"{answer.status_code} {name}"] += 1
            return answer
        self._note(name, began)
        return answer

    def _note(self, name: str, began: float) -> None:
        self.milliseconds[self.phase, name].append((time.monotonic() - began) * 1000)
