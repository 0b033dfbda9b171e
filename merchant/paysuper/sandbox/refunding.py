"""How money goes back: refunds, their callbacks, chargebacks (contract §7)."""

import uuid
from functools import partial

from msgspec.structs import replace

from merchant.paysuper.sandbox import orders as status
from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.faults import RefundPlan
from merchant.paysuper.sandbox.generation import REASONS, new_refund, refund_row
from merchant.paysuper.sandbox.gojson import cents
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.orders import Order, Refund, RefundNotice
from merchant.paysuper.sandbox.store import Store, now_ms
from merchant.paysuper.sandbox.timetable import Timetable


class Refunds:
    """Stores refunds, asks the payment system and waits for what it says."""

    def __init__(
        self, store: Store, delivery: Delivery, timetable: Timetable, delay: float, *, is_2019: bool
    ) -> None:
        self._store = store
        self._delivery = delivery
        self._timetable = timetable
        self._delay = delay
        self._is_2019 = is_2019
        self.plan = RefundPlan()

    def resume(self) -> None:
        """Takes up refunds that were under way when the sandbox went down."""
        for refund in list(self._store.refunds.values()):
            if refund.status == status.REFUND_IN_PROGRESS and refund.callback:
                self._timetable.after(max(0, refund.due - now_ms()) / 1000, partial(self._end, refund.id))

    def store(self, order: Order, creator_id: str, reason: str, amount: float) -> Refund:
        """Step 8 of contract §7.2: the refund exists, the payment system has not been asked."""
        refund = self._new(order, creator_id, reason or f"Refund by order #{order.internal_id}")
        if self._is_2019:
            refund = replace(refund, amount=cents(amount))
        self._store.commit(Change(refunds=[refund]))
        return refund

    def _new(self, order: Order, creator_id: str, reason: str) -> Refund:
        now = now_ms()
        return new_refund(order, f"{now // 1000:08x}{uuid.uuid4().hex[:16]}", creator_id, reason, now)

    def ask(self, order: Order, refund: Refund) -> str:
        """Step 9: asks the payment system; the code of the refusal, blank when it has accepted."""
        outcome = self.plan.next()
        if outcome == "stuck_at_0":
            return "ma000003"
        refundable = order.method == "BANKCARD" and order.private != status.PENDING
        if outcome == "refused" or not refundable:
            # Until 2021 a refused refund stayed at 0 and blocked the order for ever (contract §7.4).
            if not self._is_2019:
                rejected = replace(refund, status=status.REFUND_REJECTED, updated=now_ms())
                self._store.commit(Change(refunds=[rejected]))
            return "rf000001"
        self._accept(order, refund, "" if outcome == "stuck_at_2" else outcome)
        return ""

    def _accept(self, order: Order, refund: Refund, callback: str) -> None:
        now = now_ms()
        accepted = replace(
            refund,
            status=status.REFUND_IN_PROGRESS,
            external_id=f"rf{order.transaction}",
            updated=now,
            callback=callback,
            due=now + round(self._delay * 1000),
        )
        self._store.commit(Change(refunds=[accepted]))
        if callback:
            self._timetable.after(self._delay, partial(self._end, refund.id))

    def _end(self, refund_id: str) -> None:
        """The payment system says how a refund ended (contract §7.5)."""
        with self._store.lock:
            refund = self._store.refunds[refund_id]
            # In 2019 a declined callback was taken for a completed one (contract §7.4).
            completing = ("completed", "declined") if self._is_2019 else ("completed",)
            if refund.callback in completing:
                done = replace(refund, status=status.REFUND_COMPLETED, updated=now_ms())
                self._give_back(self._store.orders[refund.order], done, status.REFUNDED)
                return
            ended = status.REFUND_DECLINED if refund.callback == "declined" else status.REFUND_CANCELED
            self._store.commit(Change(refunds=[replace(refund, status=ended, updated=now_ms())]))

    def charge_back(self, order: Order) -> None:
        """The bank takes back what is left of the money (contract §7.8)."""
        refund = replace(
            self._new(order, "", REASONS[1]),
            amount=cents(order.charge - self._returned(order)),
            status=status.REFUND_COMPLETED,
            external_id=f"cb{order.transaction}",
        )
        self._give_back(order, refund, status.CHARGEBACK)

    def _returned(self, order: Order) -> float:
        refunds = self._store.refunds_on(order.uuid)
        return sum(refund.amount for refund in refunds if refund.status == status.REFUND_COMPLETED)

    def _give_back(self, order: Order, refund: Refund, private: int) -> None:
        """Inserts the refund row; flips the original only when the sum is the charge (contract §7.5).

        A refund of a part (2019) and a second whole one leave the original and its project in peace.
        """
        now = now_ms()
        original = replace(
            order, private=private, refund=RefundNotice(refund.id, refund.reason), refunded_at=now
        )
        part = replace(original, refund=RefundNotice(refund.id, refund.reason, amount=float(refund.amount)))
        row = refund_row(part, str(uuid.uuid4()), self._store.next_number(), now)
        if cents(self._returned(order) + refund.amount) == cents(order.charge):
            self._delivery.commit(original, refunds=[refund], row=row)
        else:
            self._store.commit(Change(orders=[row], refunds=[refund]))
