"""What the filters of the order list ask of an order, in both generations (contract §5.3, §5.4)."""

import re
from collections.abc import Callable

from merchant.paysuper.sandbox.answers import Refusal
from merchant.paysuper.sandbox.catalogue import MERCHANT_BY_ID, METHODS, PROJECTS
from merchant.paysuper.sandbox.orders import Order

Keep = Callable[[Order], bool]
Fields = Callable[[Order], list[str]]
# What a listed status adds: statuses, and the row type that all rows must then have (contract §5.4).
_MEANING: dict[str, tuple[frozenset[str], str]] = {
    "processed": (frozenset({"processed", "refunded", "chargeback"}), "order"),
    "refunded": (frozenset({"refunded"}), "refund"),
    "chargeback": (frozenset({"chargeback"}), "refund"),
}


def by_id(ids: list[str]) -> Keep:
    """Exactly this order."""
    return lambda order: order.uuid == ids[0].lower()


def by_project(ids: list[str]) -> Keep:
    """Orders of any of these projects."""
    return lambda order: order.project_id in ids


def by_country(codes: list[str]) -> Keep:
    """Orders from any of these countries, compared as given."""
    return lambda order: order.country in codes


def by_method(ids: list[str]) -> Keep:
    """Orders paid by any of these methods of the catalogue."""
    names = {method.external_id for method in METHODS.values() if method.id in ids}
    return lambda order: order.method in names


def by_status(listed: list[str]) -> Keep:
    """The table of contract §5.4: each status adds statuses and perhaps a row type."""
    meanings = [_MEANING.get(name, (frozenset({name}), "")) for name in listed]
    statuses = frozenset().union(*(added for added, _ in meanings))
    types = {row_type for _, row_type in meanings if row_type} or {"order", "refund"}
    return lambda order: order.status in statuses and order.row_type in types


def by_equal_status(listed: list[str]) -> Keep:
    """2019: plain equality (contract §5.4)."""
    return lambda order: order.status in listed


def by_invoice(texts: list[str]) -> Keep:
    """The invoice of the metadata."""
    return lambda order: order.invoice == texts[0]


def by_merchant_name(texts: list[str]) -> Keep:
    """The company name, in part."""
    return contains(texts[0], lambda order: [_company(order)])


def by_payment_time(first: int, last: int) -> Keep:
    """2019: paid between two moments, both included; 0 is open (contract §5.2)."""
    return lambda order: first <= order.paid <= (last or order.paid)


def contains(text: str, fields: Fields) -> Keep:
    """Literal, any case, in one of the fields (contract §5.3)."""
    wanted = text.lower()
    return lambda order: any(wanted in field.lower() for field in fields(order))


def matches(text: str, fields: Fields) -> Keep:
    """2019: the text is a regular expression, and a broken one fails the query (contract §5.3)."""
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise Refusal("rp000001") from error
    return lambda order: any(pattern.search(field) for field in fields(order))


def account_fields(order: Order) -> list[str]:
    """What `account` looks at; the uuid was added after 2019."""
    return [order.uuid, *account_fields_2019(order)]


def account_fields_2019(order: Order) -> list[str]:
    """What `account` looked at in 2019."""
    buyer = order.customer
    player = [buyer.external_id, buyer.phone, buyer.email] if buyer else []
    return [order.instrument, *player]


def quick_fields(order: Order) -> list[str]:
    """What `quick_search` looks at."""
    buyer = order.customer
    player = [buyer.email, buyer.phone] if buyer else []
    return [_company(order), *player, *quick_fields_2019(order)]


def quick_fields_2019(order: Order) -> list[str]:
    """What `quick_search` looked at in 2019."""
    method = METHODS[order.method].title if order.method else ""
    player = [order.customer.external_id] if order.customer else []
    return [order.uuid, order.invoice, method, *PROJECTS[order.project_id].name.values(), *player]


def _company(order: Order) -> str:
    return MERCHANT_BY_ID[PROJECTS[order.project_id].merchant_id].name
