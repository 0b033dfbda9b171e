"""The memory of the sandbox: orders by uuid and in the order of creation, refunds, webhooks."""

import threading
import time
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict

from merchant.paysuper.sandbox.catalogue import MERCHANTS, PROJECTS
from merchant.paysuper.sandbox.generation import Generated
from merchant.paysuper.sandbox.journal import Change, Journal
from merchant.paysuper.sandbox.orders import Order, ProjectState, Refund, Webhook

_Place = tuple[int, int, str]


def now_ms() -> int:
    """The present in milliseconds, the precision of PaySuper's storage (contract §16.2)."""
    return int(time.time() * 1000)


class Store:
    """Holds everything; `commit` is the only way to change it. Hold `lock` for check-then-act."""

    def __init__(self, generated: Generated, url_template: str, journal: Journal | None = None) -> None:
        self.lock = threading.RLock()
        self.orders: dict[str, Order] = {}
        self.refunds: dict[str, Refund] = {}
        self.refunds_of: dict[str, list[str]] = defaultdict(list)
        self.webhooks: dict[int, Webhook] = {}
        self.projects = {
            project.id: ProjectState(
                url=url_template.replace("{project_id}", project.id),
                secret=project.secret,
                success=f"{project.site}/thanks",
                fail=f"{project.site}/oops",
            )
            for project in PROJECTS.values()
        }
        self.last_number = 0
        self._timelines: dict[str, list[_Place]] = {merchant.id: [] for merchant in MERCHANTS}
        self._journal: Journal | None = None
        self._apply(Change(orders=generated.orders, refunds=generated.refunds))
        if journal:
            for change in journal.changes():
                self._apply(change)
            self._journal = journal

    def commit(self, change: Change) -> None:
        """Writes a change down, then makes it visible."""
        with self.lock:
            if self._journal:
                self._journal.write(change)
            self._apply(change)

    def close(self) -> None:
        """Writes nothing down any more; what still happens is lost like after a kill."""
        with self.lock:
            if self._journal:
                self._journal.close()
            self._journal = None

    def _apply(self, change: Change) -> None:
        for order in change.orders:
            self._put(order)
        for refund in change.refunds:
            if refund.id not in self.refunds:
                self.refunds_of[refund.order].append(refund.id)
            self.refunds[refund.id] = refund
        for webhook in change.webhooks:
            self.webhooks[webhook.key] = webhook
        self.projects.update(change.projects)

    def _put(self, order: Order) -> None:
        if order.uuid not in self.orders:
            timeline = self._timelines[PROJECTS[order.project_id].merchant_id]
            insort(timeline, (order.created, order.number, order.uuid))
            self.last_number = max(self.last_number, order.number)
        self.orders[order.uuid] = order

    def next_number(self) -> int:
        """A number that no order has had; reserve it under `lock` together with the commit."""
        with self.lock:
            self.last_number += 1
            return self.last_number

    def window(self, merchant_id: str, first: int | None, last: int | None) -> list[str]:
        """Uuids of a merchant created from `first` to `last`, both included, oldest first (§5.5)."""
        with self.lock:
            timeline = self._timelines[merchant_id]
            start = 0 if first is None else bisect_left(timeline, (first, 0, ""))
            end = len(timeline) if last is None else bisect_right(timeline, (last + 1, 0, ""))
            return [uuid for _, _, uuid in timeline[start:end]]

    def order_of(self, uuid: str, merchant_id: str) -> Order | None:
        """An order of this merchant; a foreign one does not exist (contract §6)."""
        order = self.orders.get(uuid)
        if order is None or PROJECTS[order.project_id].merchant_id != merchant_id:
            return None
        return order

    def refunds_on(self, uuid: str) -> list[Refund]:
        """The refunds of an order in storage order (contract §7.6)."""
        with self.lock:
            return [self.refunds[refund_id] for refund_id in self.refunds_of.get(uuid, ())]
