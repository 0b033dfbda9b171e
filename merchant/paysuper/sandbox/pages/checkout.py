"""The checkout: make an order, pay it with a test card or another method, go back to the shop."""

from collections.abc import Mapping

from merchant.paysuper.sandbox.answers import Answer
from merchant.paysuper.sandbox.calls import Request
from merchant.paysuper.sandbox.catalogue import (
    CURRENCIES,
    DECLINES,
    KEY_PRODUCTS,
    METHODS,
    PRODUCTS,
    PROJECTS,
)
from merchant.paysuper.sandbox.drafting import Wish
from merchant.paysuper.sandbox.orders import NEW, Customer, Order
from merchant.paysuper.sandbox.pages import checkout_parts as parts
from merchant.paysuper.sandbox.pages.cards import CARDS, mask
from merchant.paysuper.sandbox.pages.markup import page, redirect
from merchant.paysuper.sandbox.payments import OUTCOMES, Means
from merchant.paysuper.sandbox.world import World

_SHELVES = {"product": PRODUCTS, "key": KEY_PRODUCTS}
_KINDS = ("simple", "product", "key", "virtual_currency")
_MOST = 1_000_000.0
_LONGEST = 200


class _Unusable(Exception):
    """The form cannot be used; the text says why."""


def show_start(_world: World, request: Request) -> Answer:
    """The form for a new order; `?project=` chooses the shop."""
    project_id = request.parameters().get("project", [""])[0]
    return page("New order", parts.start(_known(project_id)))


def _known(project_id: str) -> str:
    return project_id if project_id in PROJECTS else next(iter(PROJECTS))


def create(world: World, request: Request) -> Answer:
    """Stores the order, nobody has paid it yet, and shows its payment page."""
    form = _Form(request)
    try:
        order = world.payments.create(_wish(form))
    except _Unusable as problem:
        return page("New order", parts.start(_known(form.text("project")), str(problem)), status=400)
    return redirect(f"/sandbox/checkout/{order.uuid}/")


class _Form:
    """A posted form."""

    def __init__(self, request: Request) -> None:
        self._fields = request.form()

    def text(self, name: str, default: str = "") -> str:
        """One field, cut to a sensible length."""
        return self._fields.get(name, [default])[0][:_LONGEST]

    def texts(self, name: str) -> list[str]:
        """All boxes of one name that are ticked."""
        return self._fields.get(name, [])

    def choice(self, name: str, choices: Mapping[str, object]) -> str:
        """One of the choices."""
        if self.text(name) not in choices:
            raise _Unusable(f"Choose one of the offered values for “{name}”.")
        return self.text(name)


def _wish(form: _Form) -> Wish:
    project_id = form.choice("project", PROJECTS)
    kind = form.choice("kind", dict.fromkeys(_KINDS))
    shelf = {product.id for product in _SHELVES.get(kind, {}).get(project_id, ())}
    products = tuple(form.texts("product"))
    if not shelf.issuperset(products):
        raise _Unusable("The ticked products do not fit the kind of the order.")
    return Wish(
        project_id=project_id,
        kind=kind,
        currency=form.choice("currency", CURRENCIES),
        amount=_amount(form.text("amount")),
        customer=_customer(form),
        products=products,
    )


def _amount(text: str) -> float:
    try:
        amount = float(text.replace(",", ".") or 0)
    except ValueError as error:
        raise _Unusable("The amount is not a number.") from error
    if not 0 <= amount <= _MOST:
        raise _Unusable("The amount is out of range.")
    return amount


def _customer(form: _Form) -> Customer:
    return Customer(
        id="0d7f5a3e-6d0b-4c39-9a1f-3b0a4f5f6c11",
        external_id="p-1",
        name=form.text("name", "Ann Example"),
        email=form.text("email", "ann@example.com"),
        ip="203.0.113.24",
        locale="en-GB",
        country="GB",
        city="Leeds",
        postal_code="LS1 4AP",
        state="LDS",
    )


def show(world: World, request: Request) -> Answer:
    """The payment page, or the result once it has been paid; `?redirect=1` goes on to the shop."""
    order = _order(world, request)
    if order is None:
        return page("No such order", parts.NO_ORDER, status=404)
    if order.private == NEW:
        return _payment_page(world, order)
    state = world.store.projects[order.project_id]
    address = parts.way_back(order, state)
    if address and request.parameters().get("redirect") == ["1"]:
        return redirect(address)
    return page(parts.headline(order), parts.result(order, address))


def _order(world: World, request: Request) -> Order | None:
    order = world.store.orders.get(request.path.split("/")[3])
    return None if order is None or order.parent else order


def _payment_page(world: World, order: Order, problem: str = "") -> Answer:
    state = world.store.projects[order.project_id]
    body = parts.payment(order, problem)
    targets = filter(None, (state.success, state.fail, order.success, order.fail))
    return page("Pay the order", body, status=400 if problem else 200, form_targets=targets)


def pay(world: World, request: Request) -> Answer:
    """Pays with what the form says; an order that has been paid already shows its result."""
    form = _Form(request)
    with world.store.lock:
        order = _order(world, request)
        if order and order.private == NEW:
            try:
                world.payments.pay(order, *_means(form))
            except _Unusable as problem:
                return _payment_page(world, order, str(problem))
    return redirect(f"{request.path}{'?redirect=1' if form.text('redirect') else ''}")


def _means(form: _Form) -> tuple[Means, str]:
    """What is paid with, and what becomes of it."""
    if form.text("with") == "nothing":
        return Means(decline="02"), "canceled"
    if form.text("with") == "card":
        return _card(form)
    outcome = form.choice("outcome", OUTCOMES)
    method = form.choice("method", METHODS)
    return Means(method, form.text("account"), _decline(form)), outcome


def _card(form: _Form) -> tuple[Means, str]:
    digits = "".join(filter(str.isdigit, form.text("number")))
    card = CARDS.get(digits)
    if card is None:
        raise _Unusable("This is not one of the sandbox cards below. Never type a real card here.")
    decline = _decline(form) or card.decline
    return Means("BANKCARD", mask(digits), decline), card.outcome


def _decline(form: _Form) -> str:
    """The chosen code; accepted payments have no use for it."""
    chosen = form.text("decline")
    if chosen and chosen not in DECLINES:
        raise _Unusable("There is no such decline code.")
    return chosen
