"""Making up one order: who, what, how much, paid how (contract §6)."""

import math
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from merchant.paysuper.sandbox.catalogue import (
    CURRENCIES,
    DECLINES,
    GOODS,
    KEY_PRODUCTS,
    PRODUCTS,
    PROJECTS,
)
from merchant.paysuper.sandbox.orders import CANCELED, DECLINED, NEW, REFUSED_AT_ONCE, Customer, Item, Order
from merchant.paysuper.sandbox.people import NOWHERE, PLACE_BY_COUNTRY

_KINDS = ["simple"] * 6 + ["product"] * 5 + ["several"] * 3 + ["key"] * 4 + ["virtual_currency"] * 2
_METHODS = ["BANKCARD"] * 13 + ["QIWI"] * 2 + ["BITCOIN"] * 2 + ["WEBMONEY", "NETELLER", "ALIPAY"]
_PROJECTS = [*PROJECTS][:1] * 10 + [*PROJECTS][1:2] * 7 + [*PROJECTS][2:] * 3
_CARDS = ("400000...0002", "400000...0077", "555555...4477", "220220...0051", "400000...0044")
_SIMPLE_PRICES = (0.99, 4.99, 9.99, 19.99, 49.0, 120.5)
_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_DECLINE_CODES = tuple(code for code in DECLINES if code != "02")


T = TypeVar("T")


class Wish(Struct, frozen=True):
    """What somebody wants an order to be; blank and None mean: as it comes."""

    project_id: str = ""
    kind: str = ""
    currency: str = ""
    amount: float = 0
    method: str = ""
    customer: Customer | None = None
    products: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    success: str = ""
    fail: str = ""


def deck(rng: random.Random, cards: Sequence[T]) -> Iterator[T]:
    """Endless shuffled rounds of the same cards, so that small samples hold every kind too."""
    pack = list(cards)
    while True:
        rng.shuffle(pack)
        yield from pack


class Drafter:
    """Makes up orders from one source of chance; the same source gives the same orders."""

    def __init__(self, rng: random.Random, customers: list[Customer]) -> None:
        self.rng = rng
        self.customers = customers
        self.kinds = deck(rng, _KINDS)
        self.methods = deck(rng, _METHODS)
        self.projects = deck(rng, _PROJECTS)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices; quicker than random.choice."""
        return choices[int(self.rng.random() * len(choices))]

    def chance(self, odds: float) -> bool:
        """True in this share of all cases."""
        return self.rng.random() < odds

    def draft(self, number: int, created: int, wish: Wish | None = None) -> Order:
        """A new order that nobody has paid yet."""
        wish = wish or Wish()
        project_id = wish.project_id or next(self.projects)
        drawn, kind = next(self.kinds), wish.kind
        buyer = wish.customer or self.pick(self.customers)
        place = PLACE_BY_COUNTRY.get(buyer.country, NOWHERE)
        currency = wish.currency or place.currency
        items = self.items(project_id, kind or drawn, currency, wish.products)
        rate = place.tax_rate
        payer = PROJECTS[project_id].vat_payer if rate else "nobody"
        net, amount = self.price(items, currency, rate if payer == "buyer" else 0.0)
        if wish.amount:
            net = amount = wish.amount
        charge_currency, charge = self.charge(currency, amount, exact=bool(wish.amount))
        return Order(
            uuid=self.uuid(),
            number=number,
            project_id=project_id,
            created=created,
            private=NEW,
            kind=kind or ("product" if drawn == "several" else drawn),
            currency=currency,
            amount=amount,
            net=net,
            charge_currency=charge_currency,
            charge=charge,
            tax_rate=rate,
            vat_payer=payer,
            customer=None if self.chance(0.01) and not wish.customer else buyer,
            billing=self.chance(0.15),
            production=bool(wish.project_id) or not self.chance(0.02),
            items=items,
            invoice=f"INV-{number:06d}" if self.chance(0.2) else "",
            metadata=wish.metadata,
            success=wish.success,
            fail=wish.fail,
        )

    def uuid(self) -> str:
        """A random UUID of version 4."""
        bits = f"{self.rng.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-b{bits[17:20]}-{bits[20:]}"

    def items(
        self, project_id: str, kind: str, currency: str, wanted: tuple[str, ...] = ()
    ) -> tuple[Item, ...]:
        """What was bought: nothing for simple checkout and virtual currency (contract §6.4)."""
        if kind in ("simple", "virtual_currency"):
            return ()
        shelf = KEY_PRODUCTS[project_id] if kind == "key" else PRODUCTS[project_id]
        size = 1 + int(self.rng.random() * 2) if kind == "key" else 1
        size = 2 + int(self.rng.random() * 3) if kind == "several" else size
        chosen = [GOODS[product_id] for product_id in wanted] or [self.pick(shelf) for _ in range(size)]
        platforms = [self.pick(product.platforms or ("",)) for product in chosen]
        return tuple(
            Item(product.id, convert(product.price, currency), platform)
            for product, platform in zip(chosen, platforms, strict=True)
        )

    def price(self, items: tuple[Item, ...], currency: str, tax_on_top: float) -> tuple[float, float]:
        """Net and total; sums of floats keep their artefacts, as in PaySuper (contract §16.1)."""
        net = sum(item.amount for item in items) or convert(self.pick(_SIMPLE_PRICES), currency)
        total = net + round(net * tax_on_top, CURRENCIES[currency].digits)
        if self.chance(0.04):
            total = math.nextafter(total, 0)
        elif CURRENCIES[currency].digits == 0 and self.chance(0.01):
            total += 0.5
        return net, total

    def charge(self, currency: str, amount: float, *, exact: bool) -> tuple[str, float]:
        """What the customer is charged: one order in twenty in another currency (contract §6.2)."""
        if exact or not self.chance(0.05):
            return currency, amount
        other = "USD" if currency == "EUR" else "EUR"
        worth = amount * CURRENCIES[currency].usd / CURRENCIES[other].usd
        return other, max(round(worth, 2), 0.01)

    def choose_method(self, order: Order, method: str = "") -> Order:
        """The customer has chosen how to pay."""
        return replace(order, method=method or next(self.methods))

    def close(self, order: Order, private: int, paid: int, decline: str = "") -> Order:
        """The payment system has answered: paid, declined or canceled."""
        closed = replace(
            order,
            private=private,
            paid=paid,
            transaction=str(680_000_000 + order.number),
            instrument=order.instrument or self.instrument(order),
        )
        if private not in (REFUSED_AT_ONCE, DECLINED, CANCELED):
            return replace(closed, items=tuple(self.with_code(item) for item in order.items))
        code = "02" if private == CANCELED else self.pick(_DECLINE_CODES)
        return replace(closed, decline=decline or code)

    def instrument(self, order: Order) -> str:
        """Masked card, wallet account or address, whichever the method has (contract §6.3)."""
        if order.method == "BANKCARD":
            return self.pick(_CARDS)
        digits = f"{self.rng.getrandbits(40):012d}"
        if order.method == "BITCOIN":
            return f"bc1qexample{digits}"
        return digits if order.method == "QIWI" else f"wallet{digits}@example.com"

    def with_code(self, item: Item) -> Item:
        """A key item with its activation key; other items as they are."""
        if not item.platform:
            return item
        letters = [self.pick(_CODE_LETTERS) for _ in range(15)]
        code = "-".join("".join(letters[start : start + 5]) for start in (0, 5, 10))
        return replace(item, code=code)


def convert(usd: float, currency: str) -> float:
    """A price in another currency, rounded to the digits of that currency."""
    known = CURRENCIES[currency]
    return round(usd / known.usd, known.digits)
