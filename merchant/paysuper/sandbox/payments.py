"""What customers and staff do with orders: payments and replaced keys (contract §8, §14)."""

import random
import uuid
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from merchant.paysuper.sandbox import orders as status
from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.drafting import Drafter, Wish
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.orders import Order
from merchant.paysuper.sandbox.people import crowd
from merchant.paysuper.sandbox.store import Store, now_ms
from merchant.paysuper.sandbox.timetable import Timetable

OUTCOMES = {
    "processed": status.PAID,
    "rejected": status.DECLINED,
    "canceled": status.CANCELED,
    "pending": status.PENDING,
}
_STEP_SECONDS = 1.0


class Means(Struct, frozen=True):
    """What a customer pays with, and the code if that is declined; blank means: as it comes."""

    method: str = ""
    instrument: str = ""
    decline: str = ""


class Payments:
    """Creates orders and walks them to their outcome."""

    def __init__(self, store: Store, delivery: Delivery, timetable: Timetable) -> None:
        self._store = store
        self._delivery = delivery
        self._timetable = timetable
        rng = random.Random()  # noqa: S311 - made-up data, no secrets
        # One source of chance for all threads: used under the lock of the store only.
        self._drafter = Drafter(rng, crowd(rng, 50))

    def resume(self) -> None:
        """Takes up payments that were under way when the sandbox went down."""
        for order in list(self._store.orders.values()):
            if order.heading:
                self._timetable.after(0, partial(self._walk_on, order.uuid))

    def create(self, wish: Wish, *, heading: str = "") -> Order:
        """A new order, as a shop or a payment link would create it."""
        with self._store.lock:
            draft = self._drafter.draft(self._store.next_number(), now_ms(), wish)
            order = replace(draft, heading=heading)
            self._store.commit(Change(orders=[order]))
        return order

    def pay(self, order: Order, means: Means, outcome: str) -> Order:
        """The customer pays at once and the payment system answers."""
        order = self._submit(order, means)
        return order if outcome == "pending" else self._close(order, outcome, means.decline)

    def made_up(self, wish: Wish) -> Order:
        """An order that exists for a webhook test only and is never stored (contract §13.7)."""
        with self._store.lock:
            draft = self._drafter.draft(0, now_ms(), wish)
            return replace(self._drafter.choose_method(draft, "BANKCARD"), uuid=str(uuid.uuid4()))

    def arrivals(self, per_minute: float) -> None:
        """Lets payments come by themselves from now on."""
        if per_minute > 0:
            self._timetable.after(60 / per_minute, partial(self._arrive, per_minute))

    def _arrive(self, per_minute: float) -> None:
        order = self.create(Wish(), heading="processed")
        self._timetable.after(_STEP_SECONDS, partial(self._walk_on, order.uuid))
        self.arrivals(per_minute)

    def _walk_on(self, order_uuid: str) -> None:
        order = self._store.orders[order_uuid]
        if order.private == status.NEW:
            self._submit(order, Means())
            self._timetable.after(_STEP_SECONDS, partial(self._walk_on, order_uuid))
        elif order.private == status.PENDING:
            self._close(order, order.heading, "")

    def _submit(self, order: Order, means: Means) -> Order:
        with self._store.lock:
            chosen = self._drafter.choose_method(order, means.method)
            pending = replace(chosen, private=status.PENDING, instrument=means.instrument)
            self._delivery.commit(pending)
        return pending

    def _close(self, order: Order, outcome: str, decline: str) -> Order:
        with self._store.lock:
            closed = self._drafter.close(order, OUTCOMES[outcome], now_ms(), decline)
            closed = replace(closed, heading="")
            self._delivery.commit(closed)
        return closed

    def replace_key(self, order: Order, product_id: str = "") -> Order:
        """A new code, no refund any more, webhook suppressed; of one key product or of all (§8.1)."""
        if order.private == status.ACKNOWLEDGED:
            self._delivery.remember(order)
        with self._store.lock:
            items = tuple(
                self._drafter.with_code(item) if product_id in ("", item.product_id) else item
                for item in order.items
            )
            replaced = replace(order, private=status.KEY_REPLACED, items=items)
            self._delivery.commit(replaced)
        return replaced
