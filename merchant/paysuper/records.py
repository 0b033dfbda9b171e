"""PaySuper's answers as records: tolerant on the way in, exact afterwards (contract §6, §7.3, §16, §20).

Amounts are `Decimal` in major units, read from the text of the number and not yet rounded.
Instants are aware UTC; anything before the year 2000 means "not set" and becomes None.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from merchant.paysuper.errors import Unexpected

_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_LATEST_SECONDS = dt.datetime(9999, 1, 1, tzinfo=dt.UTC).timestamp()
_LARGEST_AMOUNT = Decimal(10) ** 15

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class Money:
    """An amount in major units of its currency. Blank money has currency "" and amount 0."""

    amount: Decimal = Decimal(0)
    currency: str = ""


@dataclass(frozen=True)
class ItemRecord:
    """One line of an order (contract §6.4)."""

    id: str
    sku: str
    name: str
    price: Money
    platform_id: str


@dataclass(frozen=True)
class OrderRecord:
    """One order in the view serialisation (contract §6), with the raw document beside it."""

    uuid: UUID
    type: str
    status: str
    created_at: dt.datetime
    paid_at: dt.datetime | None
    transaction: str
    is_production: bool
    project_id: str
    project_name: str
    country: str
    total: Money
    charge: Money
    gross: Money
    tax: Money
    fees: Money
    net: Money
    method: str
    method_title: str
    card_last4: str
    account: str
    customer_id: str
    customer_name: str
    customer_email: str
    items: tuple[ItemRecord, ...]
    parent_uuid: UUID | None
    refund_receipt: str
    cancellation_code: str
    raw: dict[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class RefundRecord:
    """A request for a refund as PaySuper keeps it (contract §7.3, §7.4)."""

    id: str
    order_uuid: UUID | None
    amount: Money
    status: int
    reason: str
    creator_id: str
    created_at: dt.datetime | None


@dataclass(frozen=True)
class ProjectRecord:
    """A project (contract §9.1). The webhook secret stays out of `repr`."""

    id: str
    name: str
    status: int
    webhook_url: str
    secret_key: str = field(repr=False)


def order(document: object) -> OrderRecord:
    """Read an order of the view. Raises Unexpected when it has no id, type or creation time."""
    source = _object(document)
    project, user = _object(source.get("project")), _object(source.get("user"))
    method = _object(source.get("payment_method"))
    is_refund = _text(source, "type") == "refund"
    return OrderRecord(
        uuid=_required_uuid(source.get("uuid")),
        type=_text(source, "type") or "order",
        status=_text(source, "status"),
        created_at=_required_instant(source.get("created_at")),
        paid_at=instant(source.get("transaction_date")),
        transaction=_text(source, "transaction"),
        is_production=source.get("is_production") is not False,
        project_id=_text(project, "id"),
        project_name=localized(project.get("name")),
        country=_text(source, "country_code").upper(),
        total=Money(decimal(source.get("total_payment_amount")), _text(source, "currency").upper()),
        charge=money(source.get("order_charge")),
        gross=money(source.get("refund_gross_revenue" if is_refund else "gross_revenue")),
        tax=money(source.get("refund_tax_fee_total" if is_refund else "tax_fee_total")),
        fees=money(source.get("refund_fees_total" if is_refund else "fees_total")),
        net=money(source.get("refund_reverse_revenue" if is_refund else "net_revenue")),
        method=_text(method, "external_id"),
        method_title=_text(method, "title"),
        card_last4=_text(_object(method.get("card")), "last4"),
        account=_account(method),
        customer_id=_text(user, "external_id"),
        customer_name=_text(user, "name"),
        customer_email=_text(user, "email"),
        items=tuple(_item(each) for each in _list(source.get("items"))),
        parent_uuid=_uuid(_object(source.get("parent_order")).get("uuid")),
        refund_receipt=_text(_object(source.get("refund")), "receipt_number"),
        cancellation_code=_text(_object(source.get("cancellation")), "code"),
        raw=without_secrets(source),
    )


def refund(document: object) -> RefundRecord:
    """Read a refund. An unknown status number is kept; a missing one raises Unexpected."""
    source = _object(document)
    status = source.get("status", 0)
    if not isinstance(status, int) or not _text(source, "id"):
        raise Unexpected("a refund without id or status")
    return RefundRecord(
        id=_text(source, "id"),
        order_uuid=_uuid(source.get("original_order_id")),
        amount=Money(decimal(source.get("amount")), _text(source, "currency").upper()),
        status=status,
        reason=_text(source, "reason"),
        creator_id=_text(source, "creator_id"),
        created_at=instant(source.get("created_at")),
    )


def project(document: object) -> ProjectRecord:
    """Read a project. Raises Unexpected when it has no id."""
    source = _object(document)
    if not _text(source, "id"):
        raise Unexpected("a project without id")
    status = source.get("status", 0)
    return ProjectRecord(
        id=_text(source, "id"),
        name=localized(source.get("name")),
        status=status if isinstance(status, int) else 0,
        webhook_url=_text(source, "url_process_payment"),
        secret_key=_text(source, "secret_key"),
    )


def members(document: object, name: str) -> list[object]:
    """The list `name` of an envelope; null and absent are the empty list (contract §1)."""
    return _list(_object(document).get(name))


def money(value: object) -> Money:
    """Money of either form: an object, the blank object, or null (contract §6.2)."""
    source = _object(value)
    currency = _text(source, "currency").upper()
    return Money(decimal(source.get("amount")), currency) if currency else Money()


def decimal(value: object) -> Decimal:
    """A number as it was written. What is no sensible amount is Unexpected, null is zero."""
    if value is None or value == "":
        return Decimal(0)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unexpected("an amount that is not a number")
    try:
        number = Decimal(value)
    except ArithmeticError as error:
        raise Unexpected("an amount that is not a number") from error
    if not number.is_finite() or abs(number) > _LARGEST_AMOUNT:
        raise Unexpected("an amount out of range")
    return number


def instant(value: object) -> dt.datetime | None:
    """An instant of any of the four forms of contract §16.2, or None when it is not set."""
    moment = _instant_of_text(value) if isinstance(value, str) else _instant_of_seconds(value)
    return moment if moment is not None and moment >= _EARLIEST else None


def localized(value: object) -> str:
    """A text in several languages, in English if there is one, else in the first language."""
    texts = {key: text for key, text in _object(value).items() if isinstance(text, str) and text}
    return _clean(texts.get("en") or next(iter(texts.values()), ""))


def without_secrets(source: JsonObject) -> dict[str, Any]:
    """The document without what must not be kept: 2019 leaks the webhook secret (contract §6.3)."""
    kept = {key: _clean_deep(value) for key, value in source.items()}
    if isinstance(kept.get("project"), dict):
        kept["project"].pop("secret_key", None)
    return kept


def _item(document: object) -> ItemRecord:
    source = _object(document)
    return ItemRecord(
        id=_text(source, "id"),
        sku=_text(source, "sku"),
        name=_text(source, "name"),
        price=Money(decimal(source.get("amount")), _text(source, "currency")),
        platform_id=_text(source, "platform_id"),
    )


def _account(method: JsonObject) -> str:
    wallet, crypto = _object(method.get("wallet")), _object(method.get("crypto_currency"))
    return _text(wallet, "account") or _text(crypto, "address")


def _object(value: object) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unexpected("an object was expected")
    return value


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unexpected("a list was expected")
    return value


def _text(source: JsonObject, name: str) -> str:
    value = source.get(name)
    if value is None:
        return ""
    return _clean(value if isinstance(value, str) else str(value))


def _clean(text: str) -> str:
    # PostgreSQL can hold neither NUL nor half a surrogate pair; both occur in what customers type.
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _clean_deep(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean_deep(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_clean_deep(each) for each in value]
    return value


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _required_uuid(value: object) -> UUID:
    found = _uuid(value)
    if found is None:
        raise Unexpected("an order without a readable uuid")
    return found


def _required_instant(value: object) -> dt.datetime:
    found = instant(value)
    if found is None:
        raise Unexpected("an order without a creation time")
    return found


def _instant_of_text(value: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _instant_of_seconds(value: object) -> dt.datetime | None:
    seconds, nanos = value, 0
    if isinstance(value, Mapping):
        seconds, nanos = value.get("seconds", 0), value.get("nanos", 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not 0 < seconds < _LATEST_SECONDS:
        return None
    # Whole milliseconds are all that PaySuper stores (contract §16.2).
    return dt.datetime.fromtimestamp(seconds, dt.UTC) + dt.timedelta(milliseconds=nanos // 1_000_000)
