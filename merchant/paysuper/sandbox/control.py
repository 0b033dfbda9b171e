"""The sandbox's own interface under /sandbox/: facts, payments, chargebacks, faults, ledgers."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from merchant.paysuper.sandbox.answers import Answer, ok, plain
from merchant.paysuper.sandbox.catalogue import CURRENCIES, MERCHANTS, METHODS, PROJECTS, TOKENS
from merchant.paysuper.sandbox.drafting import Wish
from merchant.paysuper.sandbox.faults import Fault, RefundOutcome, WebhookFault
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.orders import REFUND_COMPLETED, Customer, Order
from merchant.paysuper.sandbox.routes import Request, parameters
from merchant.paysuper.sandbox.world import World

T = TypeVar("T")


class Buyer(Struct):
    """Who pays in a payment on request."""

    name: str = "Ann Example"
    email: str = "ann@example.com"


class Payment(Struct, forbid_unknown_fields=True):
    """A payment on request; what is left out comes as it comes."""

    project_id: str = ""
    kind: Literal["", "simple", "product", "key", "virtual_currency"] = "simple"
    currency: str = "EUR"
    amount: float = 0
    method: str = "BANKCARD"
    outcome: Literal["processed", "rejected", "canceled", "pending", "created"] = "processed"
    user: Buyer | None = None


class Url(Struct, forbid_unknown_fields=True):
    """The webhook address of one project; blank means no webhooks."""

    project_id: str
    url: str


def facts(world: World, _request: Request) -> Answer:
    """Everything that a client of the sandbox has to be told."""
    statuses: dict[str, Counter[str]] = {merchant.id: Counter() for merchant in MERCHANTS}
    for order in list(world.store.orders.values()):
        statuses[PROJECTS[order.project_id].merchant_id][f"{order.row_type}.{order.status}"] += 1
    projects = {
        project.id: asdict(project) | {"url": world.store.urls[project.id]} for project in PROJECTS.values()
    }
    return ok(
        {
            "merchants": [{"id": m.id, "name": m.name, "orders": statuses[m.id]} for m in MERCHANTS],
            "projects": [*projects.values()],
            "tokens": {token: asdict(user) for token, user in TOKENS.items()},
            "orders": len(world.store.orders),
            "refunds": len(world.store.refunds),
            "webhooks": len(world.store.webhooks),
        }
    )


def pay(world: World, request: Request) -> Answer:
    """A payment now, walked to its outcome with webhook."""
    payment = _read(request, Payment)
    project_id = payment.project_id or next(iter(PROJECTS))
    if project_id not in PROJECTS or payment.method not in METHODS or payment.currency not in CURRENCIES:
        return plain(400, "unknown project, method or currency")
    wish = Wish(
        project_id, payment.kind, payment.currency, payment.amount, payment.method, _customer(payment.user)
    )
    if payment.outcome == "created":
        order = world.business.create(wish)
    else:
        order = world.business.pay(wish, payment.outcome)
    return ok({"uuid": order.uuid, "status": order.status, "project_id": order.project_id}, 201)


def _customer(buyer: Buyer | None) -> Customer:
    buyer = buyer or Buyer()
    return Customer(
        id="0d7f5a3e-6d0b-4c39-9a1f-3b0a4f5f6c11",
        external_id="p-1",
        name=buyer.name,
        email=buyer.email,
        ip="203.0.113.24",
        locale="de-DE",
        country="DE",
        city="Bremen",
        postal_code="28195",
        state="HB",
    )


def charge_back(world: World, request: Request) -> Answer:
    """The bank takes the money of a processed order back (contract §7.8)."""
    return _with_processed(world, request, world.business.charge_back)


def replace_key(world: World, request: Request) -> Answer:
    """PaySuper's staff replaces the key of a processed order (contract §8.1)."""
    return _with_processed(world, request, world.business.replace_key)


def _with_processed(world: World, request: Request, act: Callable[[Order], None]) -> Answer:
    uuid = request.path.split("/")[3]
    with world.store.lock:
        order = world.store.orders.get(uuid)
        if order is None or order.parent:
            return plain(404, "no such order")
        if order.status != "processed":
            return plain(409, f"the order is {order.status}")
        act(order)
    return ok({"uuid": uuid, "status": world.store.orders[uuid].status})


def plan_refunds(world: World, request: Request) -> Answer:
    """What becomes of the next refunds."""
    world.business.plan.set(_read(request, RefundOutcome))
    return ok({"message": "planned"})


def add_faults(world: World, request: Request) -> Answer:
    """Faults of the API, one or a list."""
    world.faults.add(_read_some(request, Fault))
    return show_faults(world, request)


def show_faults(world: World, _request: Request) -> Answer:
    """The faults still to come."""
    return ok({"faults": world.faults.pending()})


def clear_faults(world: World, request: Request) -> Answer:
    """No faults of the API any more."""
    world.faults.clear()
    return show_faults(world, request)


def add_webhook_faults(world: World, request: Request) -> Answer:
    """Faults of the next webhooks, one or a list."""
    for fault in _read_some(request, WebhookFault):
        world.webhook_faults.add(fault)
    return ok({"message": "planned"})


def clear_webhook_faults(world: World, _request: Request) -> Answer:
    """No faults of webhooks any more."""
    world.webhook_faults.clear()
    return ok({"message": "cleared"})


def set_url(world: World, request: Request) -> Answer:
    """Another webhook address for one project."""
    wanted = _read(request, Url)
    if wanted.project_id not in PROJECTS:
        return plain(400, "unknown project")
    world.store.commit(Change(urls={wanted.project_id: wanted.url}))
    return ok(wanted)


def ledger(world: World, _request: Request) -> Answer:
    """Every refund ever, and how many were completed per order: more than one is money lost."""
    refunds = list(world.store.refunds.values())
    shown = ("id", "order", "status", "amount", "currency", "creator_id", "reason", "created")
    completed = Counter(refund.order for refund in refunds if refund.status == REFUND_COMPLETED)
    return ok(
        {
            "refunds": [{name: getattr(refund, name) for name in shown} for refund in refunds],
            "completed": completed,
        }
    )


def requests(world: World, request: Request) -> Answer:
    """How often each path was asked; `?path=` is a pattern, `?method=` a method."""
    query = parameters(request.query)
    found = world.tally.matching(query.get("path", [""])[0], query.get("method", [""])[0].upper())
    return ok({"count": sum(int(str(row["count"])) for row in found), "requests": found})


def webhooks(world: World, _request: Request) -> Answer:
    """The delivery log, oldest first."""
    return ok({"webhooks": world.delivery.log()})


def _read(request: Request, kind: type[T]) -> T:
    return msgspec.json.decode(request.body or b"{}", type=kind)


def _read_some(request: Request, kind: type[T]) -> list[T]:
    if request.body.lstrip().startswith(b"["):
        return msgspec.json.decode(request.body, type=list[kind])  # type: ignore[valid-type]
    return [_read(request, kind)]


_ROUTES: tuple[tuple[str, str, Callable[[World, Request], Answer]], ...] = (
    ("GET", "/sandbox/", facts),
    ("POST", "/sandbox/payments", pay),
    ("POST", "/sandbox/orders/[^/]+/chargeback", charge_back),
    ("POST", "/sandbox/orders/[^/]+/key", replace_key),
    ("POST", "/sandbox/refunds/outcome", plan_refunds),
    ("POST", "/sandbox/faults", add_faults),
    ("GET", "/sandbox/faults", show_faults),
    ("DELETE", "/sandbox/faults", clear_faults),
    ("POST", "/sandbox/webhooks/faults", add_webhook_faults),
    ("DELETE", "/sandbox/webhooks/faults", clear_webhook_faults),
    ("POST", "/sandbox/webhooks/url", set_url),
    ("GET", "/sandbox/ledger", ledger),
    ("GET", "/sandbox/requests", requests),
    ("GET", "/sandbox/webhooks", webhooks),
)


def answer(world: World, request: Request) -> Answer:
    """Answers one control request; a body that cannot be used is a 400 with the reason."""
    for method, path, handler in _ROUTES:
        if method == request.method and re.fullmatch(path, request.path):
            try:
                return handler(world, request)
            except (msgspec.DecodeError, re.error) as error:
                return plain(400, str(error))
    return plain(404, "Not Found")
