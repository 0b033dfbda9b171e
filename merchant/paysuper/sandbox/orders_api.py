"""GET order list and GET order (contract §5, §6)."""

import itertools
import random
from collections.abc import Callable

from merchant.paysuper.sandbox.answers import Answer, Refusal, ok
from merchant.paysuper.sandbox.catalogue import PROJECTS
from merchant.paysuper.sandbox.order_filter import Wanted, read
from merchant.paysuper.sandbox.orders import Order
from merchant.paysuper.sandbox.views import order_view
from merchant.paysuper.sandbox.world import UUID, Call

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
    store, wanted = call.world.store, read(call)
    uuids = store.window(call.user.merchant_id, wanted.first, wanted.last)
    if not wanted.keeps and not wanted.sort:
        page = [store.orders[uuid] for uuid in uuids[wanted.offset :][: wanted.limit]]
        return ok({"count": len(uuids), "items": _shown(call, page)})
    kept = [
        order for order in map(store.orders.__getitem__, uuids) if all(keep(order) for keep in wanted.keeps)
    ]
    _sort(kept, wanted)
    return ok({"count": len(kept), "items": _shown(call, kept[wanted.offset :][: wanted.limit])})


def _sort(orders: list[Order], wanted: Wanted) -> None:
    """Sorts without a tie-breaker: equal keys change places from request to request (§5.5)."""
    names = [name for name in wanted.sort if name.lstrip("+-") in _SORT_KEYS]
    if names and next(_requests) % 2:
        orders.reverse()
    for name in random.sample(names, len(names)):
        orders.sort(key=_SORT_KEYS[name.lstrip("+-")], reverse=name.startswith("-"))


def _shown(call: Call, orders: list[Order]) -> list[dict[str, object]] | None:
    urls = call.world.store.urls
    return [order_view(order, urls[order.project_id]) for order in orders] or None


def get_order(call: Call) -> Answer:
    """One order, bare; foreign and unknown are the same 404 (contract §6)."""
    order = call.world.store.order_of(order_id(call), call.user.merchant_id)
    if order is None:
        raise Refusal("fm000021")
    return ok(order_view(order, call.world.store.urls[order.project_id]))


def order_id(call: Call) -> str:
    """The order id of the path, which must be a UUID."""
    if not UUID.fullmatch(call.parts[0]):
        raise Refusal("ma000002", "OrderId", "uuid")
    return call.parts[0].lower()
