"""What happens to orders: payments, refunds, chargebacks, replaced keys (contract §7, §8, §14)."""

import random
import threading
import uuid
from functools import partial

from msgspec.structs import replace

from merchant.paysuper.sandbox import orders as status
from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.drafting import Drafter, Wish
from merchant.paysuper.sandbox.faults import RefundPlan
from merchant.paysuper.sandbox.generation import REASONS, new_refund, refund_row
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.orders import Order, Refund, RefundNotice
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


class Business:
    """Changes orders as PaySuper would and tells the merchants."""

    def __init__(self, store: Store, delivery: Delivery, refund_delay: float) -> None:
        self._store = store
        self._delivery = delivery
        self._refund_delay = refund_delay
        self._callbacks = Timetable("callbacks", workers=2)
        rng = random.Random()  # noqa: S311 - made-up data, no secrets
        self._drafter = Drafter(rng, crowd(rng, 50))
        self._drafting = threading.Lock()
        self.plan = RefundPlan()

    def resume(self) -> None:
        """Takes up refunds and payments that were under way when the sandbox went down."""
        for refund in list(self._store.refunds.values()):
            if refund.status == status.REFUND_IN_PROGRESS and refund.callback:
                self._callbacks.after(
                    max(0, refund.due - now_ms()) / 1000, partial(self.call_back, refund.id)
                )
        for order in list(self._store.orders.values()):
            if order.heading:
                self._callbacks.after(0, partial(self._walk_on, order.uuid))

    def stop(self) -> None:
        """Nothing happens by itself any more."""
        self._callbacks.stop()

    def save(self, order: Order, *, refunds: list[Refund] | None = None, row: Order | None = None) -> None:
        """Commits a new state of an order together with its notice, and sends the notice."""
        with self._store.lock:
            webhooks = self._delivery.prepare(order)
            orders = [order, row] if row else [order]
            self._store.commit(Change(orders=orders, refunds=refunds or [], webhooks=webhooks))
        self._delivery.send(webhooks)

    # Payments

    def create(self, wish: Wish, *, heading: str = "") -> Order:
        """A new order, as a shop or a payment link would create it."""
        with self._drafting, self._store.lock:
            draft = self._drafter.draft(self._store.next_number(), now_ms(), wish)
            order = replace(draft, heading=heading)
            self._store.commit(Change(orders=[order]))
        return order

    def pay(self, wish: Wish, outcome: str) -> Order:
        """A new order that is walked to its outcome at once."""
        order = self._submit(self.create(wish), wish.method)
        return order if outcome == "pending" else self._close(order, outcome)

    def made_up(self, wish: Wish) -> Order:
        """An order that exists for a webhook test only and is never stored (contract §13.7)."""
        with self._drafting:
            draft = self._drafter.draft(0, now_ms(), wish)
            return replace(self._drafter.choose_method(draft, "BANKCARD"), uuid=str(uuid.uuid4()))

    def arrive(self, per_minute: float) -> None:
        """A payment that comes by itself, and after it the next one."""
        order = self.create(Wish(), heading="processed")
        self._callbacks.after(_STEP_SECONDS, partial(self._walk_on, order.uuid))
        self.arrivals(per_minute)

    def arrivals(self, per_minute: float) -> None:
        """Lets payments come by themselves from now on."""
        if per_minute > 0:
            self._callbacks.after(60 / per_minute, partial(self.arrive, per_minute))

    def _walk_on(self, order_uuid: str) -> None:
        order = self._store.orders[order_uuid]
        if order.private == status.NEW:
            self._submit(order, "")
            self._callbacks.after(_STEP_SECONDS, partial(self._walk_on, order_uuid))
        elif order.private == status.PENDING:
            self._close(order, order.heading)

    def _submit(self, order: Order, method: str) -> Order:
        with self._drafting:
            chosen = self._drafter.choose_method(order, method)
        pending = replace(chosen, private=status.PENDING)
        self.save(pending)
        return pending

    def _close(self, order: Order, outcome: str) -> Order:
        with self._drafting:
            closed = self._drafter.close(order, OUTCOMES[outcome], now_ms())
        closed = replace(closed, heading="")
        self.save(closed)
        return closed

    # Refunds

    def store_refund(self, order: Order, creator_id: str, reason: str) -> Refund:
        """Step 8 of contract §7.2: the refund exists, the payment system has not been asked."""
        refund = self._new_refund(order, creator_id, reason or f"Refund by order #{order.internal_id}")
        self._store.commit(Change(refunds=[refund]))
        return refund

    def _new_refund(self, order: Order, creator_id: str, reason: str) -> Refund:
        now = now_ms()
        return new_refund(order, f"{now // 1000:08x}{uuid.uuid4().hex[:16]}", creator_id, reason, now)

    def ask_payment_system(self, order: Order, refund: Refund) -> Refund:
        """Step 9: refused (1), left at 0 by a crash, or in progress (2) with a callback to come."""
        outcome = self.plan.next()
        if outcome == "stuck_at_0":
            return refund
        refundable = order.method == "BANKCARD" and order.private != status.PENDING
        if outcome == "refused" or not refundable:
            asked = replace(refund, status=status.REFUND_REJECTED, updated=now_ms())
        else:
            asked = self._accepted(order, refund, "" if outcome == "stuck_at_2" else outcome)
        self._store.commit(Change(refunds=[asked]))
        if asked.callback:
            self._callbacks.after(self._refund_delay, partial(self.call_back, asked.id))
        return asked

    def _accepted(self, order: Order, refund: Refund, callback: str) -> Refund:
        now = now_ms()
        return replace(
            refund,
            status=status.REFUND_IN_PROGRESS,
            external_id=f"rf{order.transaction}",
            updated=now,
            callback=callback,
            due=now + round(self._refund_delay * 1000),
        )

    def call_back(self, refund_id: str) -> None:
        """The payment system says how a refund ended (contract §7.5)."""
        with self._store.lock:
            refund = self._store.refunds[refund_id]
            if refund.callback == "completed":
                self._complete(self._store.orders[refund.order], refund)
                return
            ended = status.REFUND_DECLINED if refund.callback == "declined" else status.REFUND_CANCELED
            self._store.commit(Change(refunds=[replace(refund, status=ended, updated=now_ms())]))

    def _complete(self, order: Order, refund: Refund) -> None:
        done = replace(refund, status=status.REFUND_COMPLETED, updated=now_ms())
        self._give_back(order, done, status.REFUNDED)

    def charge_back(self, order: Order) -> None:
        """The bank takes the money back (contract §7.8)."""
        refund = self._new_refund(order, "", REASONS[1])
        done = replace(refund, status=status.REFUND_COMPLETED, external_id=f"cb{order.transaction}")
        self._give_back(order, done, status.CHARGEBACK)

    def _give_back(self, order: Order, refund: Refund, private: int) -> None:
        """Inserts the refund row, flips the original and tells the project (contract §7.5)."""
        now = now_ms()
        notice = RefundNotice(refund.id, refund.reason)
        original = replace(order, private=private, refund=notice, refunded_at=now)
        row = refund_row(original, str(uuid.uuid4()), self._store.next_number(), now)
        if order.refund:
            # Refunded twice: the sum is no longer the charge, so the original and its project hear nothing.
            self._store.commit(Change(orders=[row], refunds=[refund]))
        else:
            self.save(original, refunds=[refund], row=row)

    # Keys

    def replace_key(self, order: Order) -> None:
        """What PaySuper's staff can do: a new code, no refund any more, webhook suppressed (§8.1)."""
        if order.private == status.ACKNOWLEDGED:
            self._delivery.remember(order)
        with self._drafting:
            items = tuple(self._drafter.with_code(item) for item in order.items)
        self.save(replace(order, private=status.KEY_REPLACED, items=items))
