"""Creating, listing and reading refunds (contract §7)."""

import time

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.catalogue import NO_REFUND_TARIFF
from merchant.paysuper.sandbox.orders import (
    BLOCKING_REFUNDS,
    REFUND_REJECTED,
    REFUND_STORED,
    REFUNDABLE,
    REFUNDED,
    Order,
    Refund,
)
from merchant.paysuper.sandbox.orders_api import order_id
from merchant.paysuper.sandbox.views import refund_view
from merchant.paysuper.sandbox.world import OBJECT_ID, Call, member


def create_refund(call: Call) -> Answer:
    """Asks for the refund of the whole charge; the checks come in the order of contract §7.2."""
    uuid, reason = _read(call)
    unguarded = next((fault for fault in call.faults if fault.kind == "no_race_guard"), None)
    if unguarded:
        order = _refundable(call, uuid, guarded=False)
        # Wide enough for a second request to pass the same checks before this one is stored.
        time.sleep(unguarded.seconds)
        refund = call.world.business.store_refund(order, call.user.user_id, reason)
    else:
        with call.world.store.lock:
            order = _refundable(call, uuid, guarded=True)
            refund = call.world.business.store_refund(order, call.user.user_id, reason)
    return _asked(call.world.business.ask_payment_system(order, refund))


def _asked(refund: Refund) -> Answer:
    if refund.status == REFUND_STORED:
        raise Refusal("ma000003")
    if refund.status == REFUND_REJECTED:
        raise Refusal("rf000001")
    return ok(refund_view(refund), 201)


def _read(call: Call) -> tuple[str, str]:
    """Steps 1 and 2. The amount is validated and then ignored; a booked chargeback is refused."""
    document = call.document()
    amount = member(document, "amount", (int, float))
    reason = member(document, "reason", str)
    is_chargeback = member(document, "is_chargeback", bool)
    uuid = order_id(call)
    if not amount:
        raise Refusal("ma000002", "Amount", "required")
    if isinstance(amount, int | float) and amount < 0:
        raise Refusal("ma000002", "Amount", "gt")
    if is_chargeback:
        raise Refusal("ma000002", "IsChargeback", "isdefault")
    return uuid, str(reason or "")


def _refundable(call: Call, uuid: str, *, guarded: bool) -> Order:
    """Steps 3 to 7."""
    store = call.world.store
    order = store.order_of(uuid, call.user.merchant_id)
    if order is None:
        raise Refusal("rf000005")
    if order.private == REFUNDED:
        raise Refusal("rf000003")
    if order.private not in REFUNDABLE:
        raise Refusal("rf000002")
    if order.country in NO_REFUND_TARIFF:
        raise Refusal("rf000007")
    if guarded and any(refund.status in BLOCKING_REFUNDS for refund in store.refunds_on(uuid)):
        raise Refusal("rf000004")
    return order


def list_refunds(call: Call) -> Answer:
    """The refunds of an order; unknown and foreign orders have none, without an error (§7.6)."""
    limit, offset, uuid = call.integer("limit"), call.integer("offset"), order_id(call)
    if limit < 0 or offset < 0:
        raise Refusal("ma000002", "Limit" if limit < 0 else "Offset", "gte")
    store = call.world.store
    order = store.order_of(uuid, call.user.merchant_id)
    refunds = store.refunds_on(uuid) if order else []
    page = refunds[offset:][: limit or None]
    return ok({"count": len(refunds), "items": [refund_view(refund) for refund in page] or None})


def get_refund(call: Call) -> Answer:
    """One refund; the order of the path only proves ownership (contract §7.6)."""
    uuid, refund_id = order_id(call), call.parts[1]
    if not OBJECT_ID.fullmatch(refund_id):
        raise Refusal("ma000002", "RefundId", "hexadecimal")
    order = call.world.store.order_of(uuid, call.user.merchant_id)
    refund = call.world.store.refunds.get(refund_id.lower())
    if order is None or refund is None:
        raise Refusal("rf000005")
    return ok(refund_view(refund))
