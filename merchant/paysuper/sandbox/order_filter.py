"""The parameters of the order list: what is readable, in which window, under which conditions (§5)."""

import re
from datetime import UTC, datetime

from msgspec import Struct

from merchant.paysuper.sandbox import conditions, year_2019
from merchant.paysuper.sandbox.answers import Refusal
from merchant.paysuper.sandbox.calls import OBJECT_ID, UUID, Call
from merchant.paysuper.sandbox.conditions import Keep
from merchant.paysuper.sandbox.generation import DAY
from merchant.paysuper.sandbox.orders import PUBLIC_STATUSES

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
    first, last, keeps = _of_2019(call) if call.world.is_2019 else _of_2021(call)
    if hide_test:
        keeps.append(lambda order: order.production)
    return Wanted(
        first=first,
        last=last,
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


def _of_2021(call: Call) -> tuple[int | None, int | None, list[Keep]]:
    first, last = _window(call)
    if search := call.single("quick_search"):
        return None, None, [conditions.contains(search, conditions.quick_fields)]
    makers = (
        ("id", conditions.by_id),
        ("project[]", conditions.by_project),
        ("country[]", conditions.by_country),
        ("payment_method[]", conditions.by_method),
        ("status[]", conditions.by_status),
        ("royalty_report_id", lambda _: lambda _order: False),
        ("merchant_name", conditions.by_merchant_name),
        # Both set the same condition in PaySuper, so the invoice replaces the account (contract §5.1).
        ("invoice_id", conditions.by_invoice) if call.single("invoice_id") else ("account", _by_account),
    )
    return first, last, [make(call.query[name]) for name, make in makers if any(call.query.get(name, ()))]


def _by_account(texts: list[str]) -> Keep:
    return conditions.contains(texts[0], conditions.account_fields)


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


def _of_2019(call: Call) -> tuple[int | None, int | None, list[Keep]]:
    """Unix seconds, plain equality, regular expressions, accounted orders only (contract §18)."""
    names = ("project_date_from", "project_date_to", "pm_date_from", "pm_date_to")
    first, last, paid_first, paid_last = (call.integer(name) * 1000 for name in names)
    if search := call.single("quick_search"):
        return None, None, [year_2019.is_visible, conditions.matches(search, conditions.quick_fields_2019)]
    makers = (
        ("id", conditions.by_id),
        ("project[]", conditions.by_project),
        ("country[]", conditions.by_country),
        ("payment_method[]", conditions.by_method),
        ("status[]", conditions.by_equal_status),
        ("account", _by_account_2019),
    )
    keeps = [make(call.query[name]) for name, make in makers if any(call.query.get(name, ()))]
    if paid_first or paid_last:
        keeps.append(conditions.by_payment_time(paid_first, paid_last))
    return first or None, last or None, [year_2019.is_visible, *keeps]


def _by_account_2019(texts: list[str]) -> Keep:
    return conditions.matches(texts[0], conditions.account_fields_2019)
