"""Sending webhooks: signature, answers, repetitions, suppression (contract §13)."""

import itertools
import uuid
from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus

import httpx2
from msgspec.structs import replace

from merchant.paysuper.sandbox.catalogue import PROJECTS
from merchant.paysuper.sandbox.faults import WebhookFaults
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.notices import EVENTS, envelope, notice_id, question, snapshot
from merchant.paysuper.sandbox.orders import (
    ACKNOWLEDGED,
    CHARGEBACK,
    PAID,
    REFUNDED,
    REFUSED_BY_PROJECT,
    Customer,
    Order,
    Refund,
    Webhook,
)
from merchant.paysuper.sandbox.store import Store, now_ms
from merchant.paysuper.sandbox.timetable import Timetable
from merchant.paysuper.signature import sign

LAST_TRY = 288
_DELIVERED = frozenset({200, 204})
_WORKERS = 4
_HOLD_FOR_SWAP = 5.0


class Delivery:
    """Delivers notices; each project has workers of its own, so a dead receiver blocks no other."""

    def __init__(self, store: Store, faults: WebhookFaults, retry_interval: float, *, is_2019: bool) -> None:
        self._store = store
        self._faults = faults
        self._retry_interval = retry_interval
        self._is_2019 = is_2019
        self._timetables = {project: Timetable(f"webhooks-{project[-4:]}", _WORKERS) for project in PROJECTS}
        self._keys = itertools.count(max(store.webhooks, default=0) + 1)
        self._held: dict[str, Callable[[], None]] = {}
        self._suppressed: set[tuple[str, str]] = set()

    @cached_property
    def _http(self) -> httpx2.Client:
        return httpx2.Client(timeout=10, follow_redirects=False, trust_env=False)

    def resume(self) -> None:
        """Takes up what was still to be delivered when the sandbox went down."""
        for webhook in list(self._store.webhooks.values()):
            if webhook.state == "delivered":
                self._suppressed.add((webhook.order, webhook.status))
            if webhook.state == "waiting":
                self._schedule(webhook, max(0.0, (webhook.due - now_ms()) / 1000))

    def stop(self) -> None:
        """Starts no further delivery."""
        for timetable in self._timetables.values():
            timetable.stop()
        if "_http" in self.__dict__:
            self._http.close()

    def commit(self, order: Order, *, refunds: list[Refund] | None = None, row: Order | None = None) -> None:
        """Commits a new state of an order together with its notice, and sends the notice."""
        with self._store.lock:
            webhooks = self.prepare(order)
            orders = [order, row] if row else [order]
            self._store.commit(Change(orders=orders, refunds=refunds or [], webhooks=webhooks))
        self.send(webhooks)

    def prepare(self, order: Order, testing_case: str = "") -> list[Webhook]:
        """The notice that this state of an order causes; commit it with the order, then `send`.

        None for statuses without an event, projects without URL and repeated (order, status)
        pairs (contract §13.2, §13.6).
        """
        event = EVENTS.get("processed" if testing_case else order.status)
        project = self._store.projects[order.project_id]
        if not event or not project.url:
            return []
        repeated = (order.uuid, order.status) in self._suppressed
        return [
            Webhook(
                key=next(self._keys),
                id=notice_id(order, event),
                event=event,
                order=order.uuid,
                project_id=order.project_id,
                status=order.status,
                snapshot=snapshot(order, testing_case, is_2019=self._is_2019),
                secret=project.secret,
                forged=testing_case == "invalid_signature",
                state="suppressed" if repeated else "waiting",
                due=now_ms(),
            )
        ]

    def remember(self, order: Order) -> None:
        """The project has acknowledged this status; it is never sent again (contract §13.6)."""
        self._suppressed.add((order.uuid, order.status))

    def send(self, webhooks: list[Webhook]) -> None:
        """Puts committed notices on their way, at once unless a fault says otherwise."""
        for webhook in webhooks:
            if webhook.state == "waiting":
                self._start(webhook)

    def _start(self, webhook: Webhook) -> None:
        fault = self._faults.take("drop", "swap", "delay", "duplicate")
        if fault is None:
            self._schedule(webhook, 0)
        elif fault.kind == "drop":
            self._store.commit(Change(webhooks=[replace(webhook, state="dropped")]))
        elif fault.kind == "swap":
            self._hold(webhook, fault.seconds or _HOLD_FOR_SWAP)
        elif fault.kind == "delay":
            self._schedule(webhook, fault.seconds or 1.0)
        else:
            self._schedule(webhook, 0, copies=2)

    def _hold(self, webhook: Webhook, longest: float) -> None:
        """Lets the next notice of the project overtake this one."""
        pending = [webhook]

        def release() -> None:
            if pending:
                self._schedule(pending.pop(), 0)

        self._held[webhook.project_id] = release
        self._timetables[webhook.project_id].after(longest, release)

    def _schedule(self, webhook: Webhook, seconds: float, copies: int = 1) -> None:
        def deliver() -> None:
            self._try(webhook, copies)

        self._timetables[webhook.project_id].after(seconds, deliver)

    def _try(self, webhook: Webhook, copies: int) -> None:
        statuses = [self._post(webhook) for _ in range(copies)]
        self._settle(webhook, statuses[-1])
        if release := self._held.pop(webhook.project_id, None):
            release()

    def _post(self, webhook: Webhook) -> int:
        """One POST; 0 when there was no answer."""
        body = envelope(webhook, now_ms())
        forged = webhook.forged or self._faults.take("wrong_signature")
        # A repetition is signed with the secret of its own snapshot, whatever it is by now (§9.1).
        return self._send(webhook.project_id, body, "not the secret" if forged else webhook.secret)

    def validate(self, project_id: str, customer: Customer) -> int:
        """Asks the project whether this customer may pay; 200 is yes, no repetition (contract §13.9)."""
        body = question(customer, str(uuid.uuid4()), now_ms())
        return self._send(project_id, body, self._store.projects[project_id].secret)

    def _send(self, project_id: str, body: bytes, secret: str) -> int:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": sign(body, secret),
        }
        try:
            answer = self._http.post(self._store.projects[project_id].url, content=body, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError):
            return 0
        return answer.status_code

    def _settle(self, webhook: Webhook, status: int) -> None:
        """Only 200 and 204 count; anything else is repeated without growing pauses (§13.4, §13.5)."""
        if status in _DELIVERED:
            self._delivered(replace(webhook, state="delivered", last_status=status))
        elif webhook.tries >= LAST_TRY:
            self._given_up(replace(webhook, state="given_up", last_status=status))
        else:
            due = now_ms() + round(self._retry_interval * 1000)
            again = replace(webhook, tries=webhook.tries + 1, last_status=status, due=due)
            self._store.commit(Change(webhooks=[again]))
            self._schedule(again, self._retry_interval)

    def _delivered(self, webhook: Webhook) -> None:
        with self._store.lock:
            order = self._store.orders.get(webhook.order)
            orders = [replace(order, private=ACKNOWLEDGED)] if order and order.private == PAID else []
            if order and self._regresses(webhook, order):
                orders = [replace(order, private=ACKNOWLEDGED, refund=None, refunded_at=0)]
            self._suppressed.add((webhook.order, webhook.status))
            self._store.commit(Change(webhooks=[webhook], orders=orders))

    def _regresses(self, webhook: Webhook, order: Order) -> bool:
        """Whether a late acknowledgement writes the old snapshot back: their mistake (contract §13.6)."""
        is_late = webhook.status == "processed" and order.private in (REFUNDED, CHARGEBACK)
        return is_late and self._faults.take("regress") is not None

    def _given_up(self, webhook: Webhook) -> None:
        """After the last try a 422 turns a paid order into a rejected one (contract §13.4)."""
        with self._store.lock:
            order = self._store.orders.get(webhook.order)
            refused = (
                webhook.last_status == HTTPStatus.UNPROCESSABLE_ENTITY
                and order is not None
                and order.private == PAID
            )
            orders = [replace(order, private=REFUSED_BY_PROJECT)] if order and refused else []
            self._store.commit(Change(webhooks=[webhook], orders=orders))

    def log(self) -> list[dict[str, object]]:
        """Every notice with its tries, oldest first."""
        return [
            {
                "id": webhook.id,
                "event": webhook.event,
                "order": webhook.order,
                "project_id": webhook.project_id,
                "state": webhook.state,
                "tries": webhook.tries + (webhook.state in ("delivered", "given_up")),
                "last_status": webhook.last_status,
            }
            for webhook in list(self._store.webhooks.values())
        ]
