"""The markup of the checkout."""

from merchant.paysuper.sandbox.catalogue import (
    CURRENCIES,
    DECLINES,
    GOODS,
    KEY_PRODUCTS,
    METHODS,
    PRODUCTS,
    PROJECTS,
    Product,
)
from merchant.paysuper.sandbox.orders import PAID_STATUSES, Order, ProjectState
from merchant.paysuper.sandbox.pages.cards import CARDS, grouped
from merchant.paysuper.sandbox.pages.markup import Html, alert, field, fill, join, money, select, table

NO_ORDER = Html('<p>There is no such order. <a href="/sandbox/checkout/">Make a new one</a>.</p>')
_OUTCOMES = {
    "processed": "accepted",
    "rejected": "declined",
    "canceled": "canceled by the customer",
    "pending": "pending",
}
_KINDS = {
    "simple": "simple: an amount",
    "product": "product: of the list below",
    "key": "key: of the list below",
    "virtual_currency": "virtual currency",
}
_START = """{problem}<p>An order as a shop would create it. Nothing here costs money.</p>
<nav aria-label="Shop"><ul class="choices">{shops}</ul></nav>
<form class="card" method="post" action="/sandbox/checkout/">
<input type="hidden" name="project" value="{project_id}">
<fieldset><legend>Kind</legend>{kinds}</fieldset>
<fieldset><legend>Products (none ticked: one comes as it comes)</legend>{products}</fieldset>
<fieldset><legend>Keys (none ticked: they come as they come)</legend>{keys}</fieldset>
<div class="fields">{fields}</div>
<p><button>Make the order</button></p>
</form>"""
_RADIO = '<label><input type="radio" name="kind" value="{value}"{checked}> {text}</label>'
_BOX = '<label><input type="checkbox" name="product" value="{id}"> {name} <small>{price}</small></label>'
_PAYMENT = """{problem}<section><p class="total">{price}</p>
<p>{shop}<br><small>Order <code>{uuid}</code></small></p>{items}</section>
<form class="card" method="post"><h2>Bank card</h2>
<input type="hidden" name="with" value="card">
<div class="fields">{card_fields}</div>
{redirect}<p><button>Pay {price}</button></p>
<datalist id="cards">{numbers}</datalist>{cards}</form>
<form class="card" method="post"><h2>Wallet or crypto currency</h2>
<input type="hidden" name="with" value="other">
<div class="fields">{other_fields}</div>
{redirect}<p><button class="second">Pay {price}</button></p></form>
<form class="card" method="post"><h2>Not at all</h2>
<input type="hidden" name="with" value="nothing">
{redirect}<p><button class="second">Cancel the payment</button></p></form>"""
_REDIRECT = Html(
    '<label><input type="checkbox" name="redirect" value="1"> go straight back to the shop</label>'
)
_RESULT = """<section><p class="total">{price}</p><p>{text}</p>
<p>{shop}<br><small>Order <code>{uuid}</code>, status {status}, transaction {transaction}</small></p>
{back}</section>
<p><a href="/sandbox/checkout/?project={project_id}">Make another order</a></p>"""
_BACK = '<p><a class="button" href="{address}">Continue to the shop</a><br><small>{address}</small></p>'
_TEXTS = {
    "processed": "The payment was accepted.",
    "rejected": "The payment was declined: {reason} (code {code}).",
    "canceled": "The customer canceled the payment.",
    "pending": "The money is authorised only: the order stays pending, and the shop hears nothing.",
    "refunded": "The payment was accepted and has been refunded since.",
    "chargeback": "The payment was accepted; the bank has taken the money back since.",
}
_HEADLINES = {"rejected": "Declined", "canceled": "Canceled", "pending": "Pending"}


def start(project_id: str, problem: str = "") -> Html:
    """The form for a new order."""
    return fill(
        _START,
        problem=alert(problem),
        shops=join(_shop(known, chosen=known == project_id) for known in PROJECTS),
        project_id=project_id,
        kinds=join(_kind(value, text) for value, text in _KINDS.items()),
        products=join(_box(product) for product in PRODUCTS[project_id]),
        keys=join(_box(product) for product in KEY_PRODUCTS[project_id]),
        fields=join(
            [
                field("Amount", "amount", "blank: what the products cost", inputmode="decimal"),
                select("Currency", "currency", {code: code for code in CURRENCIES}),
                field("Customer's name", "name", value="Ann Example"),
                field("Customer's e-mail", "email", value="ann@example.com", type="email"),
            ]
        ),
    )


def _shop(project_id: str, *, chosen: bool) -> Html:
    return fill(
        '<li><a href="/sandbox/checkout/?project={id}"{current}>{name}</a></li>',
        id=project_id,
        name=PROJECTS[project_id].name["en"],
        current=Html(' aria-current="page"') if chosen else Html(),
    )


def _kind(value: str, text: str) -> Html:
    return fill(_RADIO, value=value, text=text, checked=Html(" checked" if value == "simple" else ""))


def _box(product: Product) -> Html:
    return fill(_BOX, id=product.id, name=product.name, price=money(product.price, "USD"))


def payment(order: Order, problem: str) -> Html:
    """The ways to pay one order."""
    declines = {"": "as usual"} | {code: f"{code} {reason}" for code, reason in DECLINES.items()}
    decline = select("Decline code (if declined)", "decline", declines)
    number = field("Card number", "number", list="cards", autocomplete="off", inputmode="numeric")
    others = {name: method.title for name, method in METHODS.items() if name != "BANKCARD"}
    method = select("Method", "method", others)
    account = field("Account or address", "account", "blank: made up", autocomplete="off")
    return fill(
        _PAYMENT,
        problem=alert(problem),
        **_summary(order),
        items=_items(order),
        card_fields=join([number, decline]),
        numbers=join(fill('<option value="{number}">', number=grouped(digits)) for digits in CARDS),
        cards=table("Sandbox cards", ("Number", "3-D Secure", "Result"), _cards()),
        other_fields=join([method, account, select("Result", "outcome", _OUTCOMES), decline]),
        redirect=_REDIRECT,
    )


def _summary(order: Order) -> dict[str, object]:
    return {
        "price": money(order.amount, order.currency),
        "shop": PROJECTS[order.project_id].name["en"],
        "uuid": order.uuid,
    }


def _items(order: Order) -> Html:
    rows = [
        (GOODS[item.product_id].name, item.platform, money(item.amount, order.currency))
        for item in order.items
    ]
    return table("Bought", ("Product", "Platform", "Price"), rows) if rows else Html()


def _cards() -> list[tuple[object, ...]]:
    return [
        (fill("<code>{number}</code>", number=grouped(digits)), "yes" if card.secure3d else "no", card.result)
        for digits, card in CARDS.items()
    ]


def headline(order: Order) -> str:
    """What became of the payment, in one word."""
    return _HEADLINES.get(order.status, "Paid")


def way_back(order: Order, state: ProjectState) -> str:
    """Where the shop wants the customer now; blank while the payment is pending."""
    if order.status in PAID_STATUSES:
        return order.success or state.success
    return (order.fail or state.fail) if order.status in ("rejected", "canceled") else ""


def result(order: Order, address: str) -> Html:
    """What became of the payment, and the way back to the shop."""
    reason = DECLINES.get(order.decline, "refused by the shop")
    return fill(
        _RESULT,
        **_summary(order),
        text=_TEXTS[order.status].format(reason=reason, code=order.decline or "none"),
        status=order.status,
        transaction=order.transaction or "none yet",
        back=fill(_BACK, address=address) if address else Html(),
        project_id=order.project_id,
    )
