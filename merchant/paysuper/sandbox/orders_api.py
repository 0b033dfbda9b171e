"""The order list, the S2S list, one order and its keys (contract §5, §6, §8)."""

import itertools
import random
from collections.abc import Callable

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.calls import OBJECT_ID, Call, member
from merchant.paysuper.sandbox.catalogue import GOODS, PROJECTS
from merchant.paysuper.sandbox.notices import notice
from merchant.paysuper.sandbox.order_filter import Wanted, read
from merchant.paysuper.sandbox.orders import Order

_SORT_KEYS: dict[str, Callable[[Order], float | str]] = {
    "_id": lambda order: order.internal_id,
    "created_at": lambda order: order.created,
    "uuid": lambda order: order.uuid,
    "status": lambda order: order.status,
    "type": lambda order: order.row_type,
    "pm_order_close_date": lambda order: order.paid,
    "total_payment_amount": lambda order: order.amount,
    "currency": lambda order: order.currency,
    "country_code": lambda order: order.country,
    "project.name": lambda order: PROJECTS[order.project_id].name["en"],
    "payment_method.name": lambda order: order.method,
}
_requests = itertools.count()


def list_orders(call: Call) -> Answer:
    """One page of the merchant's orders and refund rows (contract §5)."""
    count, page = _page(call)
    return ok({"count": count, "items": [call.world.shown(order) for order in page] or None})


def list_orders_s2s(call: Call) -> Answer:
    """The same page in the serialisation of webhooks (contract §5.9)."""
    count, page = _page(call)
    # The type stays although late PaySuper dropped it too: openapi.yaml knows no blank one.
    dropped = {"description": "", "charge_amount": 0, "charge_currency": ""}
    return ok({"count": count, "items": [notice(order) | dropped for order in page] or None})


def _page(call: Call) -> tuple[int, list[Order]]:
    store, wanted = call.world.store, read(call)
    uuids = store.window(call.user.merchant_id, wanted.first, wanted.last)
    if not wanted.keeps and not wanted.sort:
        return len(uuids), [store.orders[uuid] for uuid in uuids[wanted.offset :][: wanted.limit]]
    kept = [
        order for order in map(store.orders.__getitem__, uuids) if all(keep(order) for keep in wanted.keeps)
    ]
    _sort(kept, wanted)
    return len(kept), kept[wanted.offset :][: wanted.limit]


def _sort(orders: list[Order], wanted: Wanted) -> None:
    """Sorts without a tie-breaker: equal keys change places from request to request (§5.5)."""
    names = [name for name in wanted.sort if name.lstrip("+-") in _SORT_KEYS]
    if names and next(_requests) % 2:
        orders.reverse()
    for name in random.sample(names, len(names)):
        orders.sort(key=_SORT_KEYS[name.lstrip("+-")], reverse=name.startswith("-"))


def get_order(call: Call) -> Answer:
    """One order, bare; foreign and unknown are the same 404 (contract §6)."""
    order = call.world.order_of(call.order_id(), call.user.merchant_id)
    if order is None:
        raise Refusal("fm000021")
    return ok(call.world.shown(order))


def replace_code(call: Call) -> Answer:
    """Staff gives the customer another key; every call uses one up (contract §8.1)."""
    product_id = str(member(call.document(), "key_product_id", str) or "").lower()
    uuid = call.order_id()
    if not OBJECT_ID.fullmatch(product_id):
        raise Refusal("ma000002", "KeyProductId", "hexadecimal")
    with call.world.store.lock:
        order = call.world.store.orders.get(uuid)
        if order is None:
            raise Refusal("fm000021", status=400)
        if order.status != "processed":
            raise Refusal("kp000019")
        product, platform = GOODS.get(product_id), order.items[0].platform if order.items else ""
        if product is None or not platform or platform not in product.platforms:
            raise Refusal("ks000006")
        return ok(notice(call.world.payments.replace_key(order, product_id)))
