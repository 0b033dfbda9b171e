"""Creating, listing and reading refunds (contract §7)."""

import time

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.calls import Call, member
from merchant.paysuper.sandbox.catalogue import NO_REFUND_TARIFF
from merchant.paysuper.sandbox.gojson import cents
from merchant.paysuper.sandbox.orders import BLOCKING_REFUNDS, REFUNDABLE, REFUNDED, Order
from merchant.paysuper.sandbox.views import refund_view


def create_refund(call: Call) -> Answer:
    """Asks for the refund of the whole charge; the checks come in the order of contract §7.2."""
    uuid, amount, reason = _read(call)
    world = call.world
    unguarded = next((fault for fault in call.faults if fault.kind == "no_race_guard"), None)
    if unguarded:
        order = _refundable(call, uuid)
        # Wide enough for a second request to pass the same checks before this one is stored.
        time.sleep(unguarded.seconds)
        refund = world.refunds.store(order, call.user.user_id, reason, amount)
    else:
        with world.store.lock:
            order = _refundable(call, uuid)
            _check_others(call, order, amount)
            refund = world.refunds.store(order, call.user.user_id, reason, amount)
    if code := world.refunds.ask(order, refund):
        raise Refusal(code)
    return ok(refund_view(world.store.refunds[refund.id]), 201)


def _read(call: Call) -> tuple[str, float, str]:
    """Steps 1 and 2; a booked chargeback is refused."""
    document = call.document()
    amount = member(document, "amount", (int, float))
    reason = member(document, "reason", str)
    is_chargeback = member(document, "is_chargeback", bool)
    uuid = call.order_id()
    if not isinstance(amount, int | float) or not amount:
        raise Refusal("ma000002", "Amount", "required")
    if amount < 0:
        raise Refusal("ma000002", "Amount", "gt")
    if is_chargeback:
        raise Refusal("ma000002", "IsChargeback", "isdefault")
    return uuid, amount, str(reason or "")


def _refundable(call: Call, uuid: str) -> Order:
    """Steps 3 to 6."""
    order = call.world.store.orders.get(uuid)
    if order is None:
        raise Refusal("rf000005")
    if call.world.store.order_of(uuid, call.user.merchant_id) is None:
        raise Refusal("rf000006" if call.world.is_2019 else "rf000005")
    if order.private == REFUNDED:
        raise Refusal("rf000003")
    if order.private not in REFUNDABLE:
        raise Refusal("rf000002")
    if order.country in NO_REFUND_TARIFF:
        raise Refusal("rf000007")
    return order


def _check_others(call: Call, order: Order, amount: float) -> None:
    """Step 7: one refund of the whole charge, or in 2019 several that do not exceed it."""
    refunds = call.world.store.refunds_on(order.uuid)
    taken = sum(refund.amount for refund in refunds if refund.status in BLOCKING_REFUNDS)
    exceeded = cents(taken + amount) > cents(order.charge) if call.world.is_2019 else taken > 0
    if exceeded:
        raise Refusal("rf000004")


def list_refunds(call: Call) -> Answer:
    """The refunds of an order; unknown and foreign orders have none, without an error (§7.6)."""
    limit, offset, uuid = call.integer("limit"), call.integer("offset"), call.order_id()
    if limit < 0 or offset < 0:
        raise Refusal("ma000002", "Limit" if limit < 0 else "Offset", "gte")
    store = call.world.store
    order = store.order_of(uuid, call.user.merchant_id)
    refunds = store.refunds_on(uuid) if order else []
    page = refunds[offset:][: limit or None]
    return ok({"count": len(refunds), "items": [refund_view(refund) for refund in page] or None})


def get_refund(call: Call) -> Answer:
    """One refund; the order of the path only proves ownership (contract §7.6)."""
    uuid, refund_id = call.order_id(), call.object_id("RefundId")
    order = call.world.store.order_of(uuid, call.user.merchant_id)
    refund = call.world.store.refunds.get(refund_id)
    if order is None or refund is None:
        raise Refusal("rf000005")
    return ok(refund_view(refund))
