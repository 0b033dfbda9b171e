"""What can be done to the sandbox: payments, chargebacks, faults, tokens (docs/sandbox.md)."""

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from merchant.paysuper.sandbox.answers import Answer, ok, plain
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.catalogue import CURRENCIES, METHODS, PROJECTS
from merchant.paysuper.sandbox.drafting import Wish
from merchant.paysuper.sandbox.faults import Fault, RefundOutcome, WebhookFault
from merchant.paysuper.sandbox.journal import Change
from merchant.paysuper.sandbox.merchant_api import ADDRESS
from merchant.paysuper.sandbox.orders import Customer, Order
from merchant.paysuper.sandbox.pages.cards import CARDS, mask
from merchant.paysuper.sandbox.payments import Means
from merchant.paysuper.sandbox.world import World

T = TypeVar("T")


_ALLOWED = 200


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
    # A sandbox card decides the outcome, unless nobody is to pay yet.
    card: str = ""
    metadata: dict[str, str] = {}
    url_success: str = ""
    url_fail: str = ""


class Url(Struct, forbid_unknown_fields=True):
    """The webhook address of one project; blank means no webhooks."""

    project_id: str
    url: str = ""


class Question(Struct, forbid_unknown_fields=True):
    """May this customer of this project pay."""

    project_id: str = ""
    user: Buyer | None = None


class Grant(Struct):
    """A request for an access token, as OAuth 2 has it."""

    grant_type: str = ""
    refresh_token: str = ""


class Expiry(Struct, forbid_unknown_fields=True):
    """The access token to end; blank means all."""

    token: str = ""


def pay(world: World, request: Request) -> Answer:
    """A payment now, walked to its outcome with webhook."""
    payment = _read(request, Payment)
    project_id = payment.project_id or next(iter(PROJECTS))
    if project_id not in PROJECTS or payment.method not in METHODS or payment.currency not in CURRENCIES:
        return plain(400, "unknown project, method or currency")
    if payment.card and payment.card not in CARDS:
        return plain(400, "not a sandbox card")
    if any(url and not ADDRESS.fullmatch(url) for url in (payment.url_success, payment.url_fail)):
        return plain(400, "not an http(s) address")
    order = world.payments.create(_wish(payment, project_id))
    if payment.outcome != "created":
        order = world.payments.pay(order, *_means(payment))
    return ok({"uuid": order.uuid, "status": order.status, "project_id": order.project_id}, 201)


def _wish(payment: Payment, project_id: str) -> Wish:
    return Wish(
        project_id,
        payment.kind,
        payment.currency,
        payment.amount,
        payment.method,
        _customer(payment.user),
        metadata=payment.metadata,
        success=payment.url_success,
        fail=payment.url_fail,
    )


def _means(payment: Payment) -> tuple[Means, str]:
    """What is paid with, and what becomes of it."""
    if not payment.card:
        return Means(method=payment.method), payment.outcome
    card = CARDS[payment.card]
    return Means("BANKCARD", mask(payment.card), card.decline), card.outcome


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
    return _with_processed(world, request, world.refunds.charge_back)


def replace_key(world: World, request: Request) -> Answer:
    """PaySuper's staff replaces the key of a processed order (contract §8.1)."""
    return _with_processed(world, request, world.payments.replace_key)


def _with_processed(world: World, request: Request, act: Callable[[Order], object]) -> Answer:
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
    world.refunds.plan.set(_read(request, RefundOutcome))
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
    world.webhook_faults.add(_read_some(request, WebhookFault))
    return show_webhook_faults(world, request)


def show_webhook_faults(world: World, _request: Request) -> Answer:
    """The faults of webhooks still to come."""
    return ok({"faults": world.webhook_faults.pending()})


def clear_webhook_faults(world: World, request: Request) -> Answer:
    """No faults of webhooks any more."""
    world.webhook_faults.clear()
    return show_webhook_faults(world, request)


def set_url(world: World, request: Request) -> Answer:
    """Another webhook address for one project."""
    wanted = _read(request, Url)
    if wanted.project_id not in PROJECTS or (wanted.url and not ADDRESS.fullmatch(wanted.url)):
        return plain(400, "unknown project or not an http(s) address")
    with world.store.lock:
        state = replace(world.store.projects[wanted.project_id], url=wanted.url)
        world.store.commit(Change(projects={wanted.project_id: state}))
    return ok(wanted)


def validate(world: World, request: Request) -> Answer:
    """Asks a project whether a customer may pay, as pre-approval mode does (contract §13.9)."""
    asked = _read(request, Question)
    project_id = asked.project_id or next(iter(PROJECTS))
    if project_id not in PROJECTS:
        return plain(400, "unknown project")
    status = world.delivery.validate(project_id, _customer(asked.user))
    return ok({"allowed": status == _ALLOWED, "status": status})


def issue_token(world: World, request: Request) -> Answer:
    """OAuth's refresh grant: a new access token, the refresh token stays good."""
    grant = _read(request, Grant)
    if grant.grant_type != "refresh_token":
        return ok({"error": "unsupported_grant_type"}, 400)
    token = world.tokens.issue(grant.refresh_token)
    if token is None:
        return ok({"error": "invalid_grant"}, 400)
    life = {"expires_in": round(world.tokens.life), "token_type": "Bearer"}
    return ok({"access_token": token, "refresh_token": grant.refresh_token, **life})


def expire_tokens(world: World, request: Request) -> Answer:
    """Access tokens, one or all, are good no more; refresh tokens stay."""
    return ok({"expired": world.tokens.expire(_read(request, Expiry).token)})


def restore_tokens(world: World, _request: Request) -> Answer:
    """The fixed access tokens are good again."""
    world.tokens.restore()
    return ok({"message": "restored"})


def _read(request: Request, kind: type[T]) -> T:
    if request.is_form:
        fields = {name: values[0] for name, values in request.form().items()}
        return msgspec.convert(fields, type=kind, strict=False)
    return msgspec.json.decode(request.body or b"{}", type=kind)


def _read_some(request: Request, kind: type[T]) -> list[T]:
    if request.body.lstrip().startswith(b"["):
        return msgspec.json.decode(request.body, type=list[kind])  # type: ignore[valid-type]
    return [_read(request, kind)]
