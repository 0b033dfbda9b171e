"""The parameters of the order list and what they mean (contract §5)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from merchant.paysuper.sandbox.answers import Refusal
from merchant.paysuper.sandbox.catalogue import MERCHANT_BY_ID, METHODS, PROJECTS
from merchant.paysuper.sandbox.generation import DAY
from merchant.paysuper.sandbox.orders import PUBLIC_STATUSES, Order
from merchant.paysuper.sandbox.world import OBJECT_ID, UUID, Call

Keep = Callable[[Order], bool]
_MOST = 1000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_STATUS = re.compile("|".join(sorted(PUBLIC_STATUSES)))
_TYPE = re.compile("simple|product|key")
_AT_MOST_60 = re.compile(".{0,60}", re.DOTALL)
_LISTS = (
    ("project[]", "Project", OBJECT_ID),
    ("payment_method[]", "PaymentMethod", OBJECT_ID),
    ("country[]", "Country", _COUNTRY),
    ("status[]", "Status", _STATUS),
)
_SINGLES = (
    ("id", "Id", UUID),
    ("royalty_report_id", "RoyaltyReportId", OBJECT_ID),
    ("type", "Type", _TYPE),
    ("merchant_name", "MerchantName", _AT_MOST_60),
)
# What a listed status adds: statuses, and the row type that all rows must then have (contract §5.4).
_MEANING: dict[str, tuple[frozenset[str], str]] = {
    "processed": (frozenset({"processed", "refunded", "chargeback"}), "order"),
    "refunded": (frozenset({"refunded"}), "refund"),
    "chargeback": (frozenset({"chargeback"}), "refund"),
}


class Wanted(Struct):
    """A readable request: a window of creation times and the conditions inside it."""

    first: int | None
    last: int | None
    keeps: list[Keep]
    limit: int
    offset: int
    sort: list[str]


def read(call: Call) -> Wanted:
    """Checks all parameters in PaySuper's order: types, then rules, then dates (contract §5.1)."""
    limit, offset, hide_test = call.integer("limit"), call.integer("offset"), call.boolean("hide_test")
    _check(call, limit)
    first, last = _window(call)
    search = call.single("quick_search")
    keeps = [_quick(search)] if search else _keeps(call)
    if hide_test:
        keeps.append(lambda order: order.production)
    return Wanted(
        first=None if search else first,
        last=None if search else last,
        keeps=keeps,
        limit=limit if limit > 0 else 100,
        offset=max(offset, 0),
        sort=call.query.get("sort[]", []),
    )


def _check(call: Call, limit: int) -> None:
    for name, field, rule in _LISTS:
        for value in call.query.get(name, []):
            if not rule.fullmatch(value):
                raise Refusal("ma000002", field, "oneof" if rule is _STATUS else "format")
    for name, field, rule in _SINGLES:
        if call.single(name) and not rule.fullmatch(call.single(name)):
            raise Refusal("ma000002", field, "format")
    if limit > _MOST:
        raise Refusal("ma000002", "Limit", "lte")


def _window(call: Call) -> tuple[int | None, int | None]:
    """`project_date` is exact and overrides `pm_date`, which is widened to days (contract §5.2)."""
    paid = [_moment(call, "pm_date_from", "PmDateFrom"), _moment(call, "pm_date_to", "PmDateTo")]
    made = [
        _moment(call, "project_date_from", "ProjectDateFrom"),
        _moment(call, "project_date_to", "ProjectDateTo"),
    ]
    if made != [None, None]:
        return made[0], made[1]
    first, last = paid
    return (
        None if first is None else first - first % DAY,
        None if last is None else last - last % DAY + DAY - 1,
    )


def _moment(call: Call, name: str, field: str) -> int | None:
    text = call.single(name)
    if not text:
        return None
    if not _MOMENT.fullmatch(text):
        raise Refusal("ma000111", field, "datetime")
    try:
        whole = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError as error:
        raise Refusal("ma000111", field, "datetime") from error
    return int(whole.timestamp()) * 1000 + int(text[20:23].ljust(3, "0"))


def _keeps(call: Call) -> list[Keep]:
    """The conditions of all filters except dates; all must hold."""
    makers = (
        ("id", lambda ids: lambda order: order.uuid == ids[0].lower()),
        ("project[]", lambda ids: lambda order: order.project_id in ids),
        ("country[]", lambda codes: lambda order: order.country in codes),
        ("payment_method[]", _by_method),
        ("status[]", _by_status),
        ("royalty_report_id", lambda _: lambda _order: False),
        ("merchant_name", _by_merchant),
        # Both set the same condition in PaySuper, so the invoice replaces the account (contract §5.1).
        (
            "account",
            lambda texts: _contains(texts[0], _account_fields) if not call.single("invoice_id") else None,
        ),
        ("invoice_id", lambda texts: lambda order: order.invoice == texts[0]),
    )
    made = [make(call.query[name]) for name, make in makers if any(call.query.get(name, ()))]
    return [keep for keep in made if keep]


def _by_status(listed: list[str]) -> Keep:
    meanings = [_MEANING.get(name, (frozenset({name}), "")) for name in listed]
    statuses = frozenset().union(*(added for added, _ in meanings))
    types = {row_type for _, row_type in meanings if row_type} or {"order", "refund"}
    return lambda order: order.status in statuses and order.row_type in types


def _by_method(ids: list[str]) -> Keep:
    names = {method.external_id for method in METHODS.values() if method.id in ids}
    return lambda order: order.method in names


def _by_merchant(texts: list[str]) -> Keep:
    return _contains(texts[0], lambda order: [_company(order)])


def _company(order: Order) -> str:
    return MERCHANT_BY_ID[PROJECTS[order.project_id].merchant_id].name


def _quick(text: str) -> Keep:
    return _contains(text, _quick_fields)


def _contains(text: str, fields: Callable[[Order], list[str]]) -> Keep:
    """Literal, any case, in one of the fields (contract §5.3)."""
    wanted = text.lower()
    return lambda order: any(wanted in field.lower() for field in fields(order))


def _account_fields(order: Order) -> list[str]:
    buyer = order.customer
    player = [buyer.external_id, buyer.phone, buyer.email] if buyer else []
    return [order.uuid, order.instrument, *player]


def _quick_fields(order: Order) -> list[str]:
    buyer = order.customer
    player = [buyer.external_id, buyer.email, buyer.phone] if buyer else []
    method = METHODS[order.method].title if order.method else ""
    names = PROJECTS[order.project_id].name.values()
    return [order.uuid, order.invoice, method, _company(order), *names, *player]
