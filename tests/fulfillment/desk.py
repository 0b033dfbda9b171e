"""What the tests of the write side share: PaySuper's control desk, orders to act on, short ways to act."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from celery import current_app
from django.core.cache import cache
from django.utils import timezone

from fulfillment import actions, tasks
from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.celery import trust_the_broker
from merchant.models import Merchant
from merchant.paysuper.client.calls import Calls
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import Person
from tests.merchant.sandbox_client import client, pay, refund
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction


@dataclass(frozen=True)
class Desk:
    """Where a test tells PaySuper what to do, and reads what it did."""

    api: httpx2.Client

    def pay(self, **wish: object) -> UUID:
        return UUID(pay(self.api, **wish))

    def plan(self, outcome: str, count: int | None = None) -> None:
        """What becomes of the next refunds."""
        self._post("refunds/outcome", {"outcome": outcome, "count": count})

    def fault(self, kind: str, **details: object) -> None:
        """Trouble, once if nothing else is said, at the creation of refunds if nothing else is said."""
        self._post("faults", {"kind": kind, "method": "POST", "path": "/refunds$", "count": 1} | details)

    def refuse(self, status: int, body: str, **details: object) -> None:
        """An answer that the next request gets instead of PaySuper's own."""
        self.fault("status", status=status, body=body, **details)

    def heal(self) -> None:
        """No trouble any more, and nobody who still leaves PaySuper alone because of it."""
        assert self.api.delete("/sandbox/faults").status_code == 200
        cache.clear()

    def charge_back(self, order: UUID) -> None:
        self._post(f"orders/{order}/chargeback", {})

    def replace_key(self, order: UUID) -> None:
        self._post(f"orders/{order}/key", {})

    def refund_elsewhere(self, order: UUID) -> None:
        """Somebody else asks for a refund, past this product."""
        assert refund(self.api, str(order)).status_code == 201

    def refunds(self, order: UUID) -> list[dict[str, Any]]:
        """All refunds of an order in PaySuper's books."""
        books = self.api.get("/sandbox/ledger").json()["refunds"]
        return [each for each in books if each["order"] == str(order)]

    def completed(self, order: UUID) -> int:
        """How often the money of an order went back."""
        return self.api.get("/sandbox/ledger").json()["completed"].get(str(order), 0)

    def posts(self, order: UUID) -> int:
        """How often a refund of this order was asked for over the line."""
        asked = self.api.get("/sandbox/requests", params={"path": f"{order}/refunds$", "method": "POST"})
        return asked.json()["count"]

    def webhook_url(self, project: str, url: str) -> None:
        self._post("webhooks/url", {"project_id": project, "url": url})

    def webhook_fault(self, kind: str, **details: object) -> None:
        self._post("webhooks/faults", {"kind": kind} | details)

    def _post(self, path: str, body: dict[str, object]) -> None:
        answer = self.api.post(f"/sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text


@pytest.fixture
def desk(paysuper: Sandbox) -> Iterator[Desk]:
    """The control desk of the test's own PaySuper."""
    with client(paysuper) as api:
        yield Desk(api)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads are repeated without a pause: the trouble is the point, not the waiting."""
    monkeypatch.setattr(Calls, "_pause", lambda *_: 0.0)


@pytest.fixture
def order(lantern: Merchant, desk: Desk) -> Transaction:
    """A processed order paid by card, in the mirror."""
    return mirrored_order(lantern, desk)


@contextlib.contextmanager
def broker_down() -> Iterator[None]:
    """Nobody listens where the broker should be."""
    app, address = current_app, current_app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    app._after_fork()  # forgets open connections
    try:
        yield
    finally:
        app.conf.broker_url = address
        app._after_fork()
        trust_the_broker()


def mirrored_order(merchant: Merchant, desk: Desk, **wish: object) -> Transaction:
    """A payment of this kind, brought into the mirror."""
    uuid = desk.pay(**wish)
    sync.refresh(merchant, uuid)
    return Transaction.objects.get(pk=uuid)


def ask(entry: Transaction, person: Person, note: str = "") -> Action:
    """What the refund form does."""
    return actions.request_refund(
        entry,
        person.membership,
        reason=REASONS[0],
        note=note,
        seen=(entry.charge_amount, entry.charge_currency),
    )


def sent(entry: Transaction, person: Person) -> Action:
    """A refund that the worker has sent."""
    action = ask(entry, person)
    tasks.run_action(action.pk)
    return fresh(action)


def settle(action: Action) -> Action:
    """One look of the worker."""
    tasks.settle_action(action.pk)
    return fresh(action)


def settled(action: Action, state: str) -> Action:
    """Looks until the refund has come to this state."""
    eventually(lambda: settle(action).state == state)
    return fresh(action)


def fresh(row: Any) -> Any:
    """The row as the database has it now."""
    return type(row).objects.get(pk=row.pk)


def earlier(action: Action, **ago: int) -> Action:
    """As if it had all begun that much earlier, and were due."""
    past = timezone.now() - dt.timedelta(**ago)
    dated = {"requested_at": past, "look_at": past}
    dated |= {name: past for name in ("send_at", "sent_at") if getattr(action, name)}
    Action.objects.filter(pk=action.pk).update(**dated)
    return fresh(action)
