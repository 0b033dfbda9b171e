"""PaySuper's answers as records: tolerant on the way in, exact afterwards (contract §6, §7.3, §16, §20).

Amounts are `Decimal` in major units, read from the text of the number and not yet rounded.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from merchant.paysuper.errors import Unexpected
from merchant.paysuper.values import (
    JsonObject,
    decimal,
    instant,
    kept,
    list_of,
    localized,
    object_of,
    text_of,
    uuid_of,
)

_LONGEST_PROJECT_ID = 24


class Money(Struct, frozen=True):
    """An amount in major units of its currency. Blank money has currency "" and amount 0."""

    amount: Decimal = Decimal(0)
    currency: str = ""


class ItemRecord(Struct, frozen=True):
    """One line of an order (contract §6.4)."""

    id: str
    sku: str
    name: str
    price: Money
    platform_id: str


class OrderRecord(Struct, frozen=True):
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
    merchant_id: str
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
    raw: JsonObject
    # The whole of `raw` as JSON: the same order gives the same bytes.
    document: bytes

    def __repr__(self) -> str:
        """Its id alone: customers stay out of logs and traces."""
        return f"OrderRecord({self.uuid})"


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
    merchant_id: str = ""
    success_url: str = ""
    fail_url: str = ""
    callback_protocol: str = ""


def order(document: object) -> OrderRecord:
    """Read an order of the view. Raises Unexpected when it has no id, project or creation time."""
    source, text = kept(without_secrets(object_of(document)))
    project, user = object_of(source.get("project")), object_of(source.get("user"))
    method = object_of(source.get("payment_method"))
    is_refund = text_of(source, "type") == "refund"
    return OrderRecord(
        uuid=_required_uuid(source.get("uuid")),
        type=text_of(source, "type") or "order",
        status=text_of(source, "status"),
        created_at=_required_instant(source.get("created_at")),
        paid_at=instant(source.get("transaction_date")),
        transaction=text_of(source, "transaction"),
        is_production=source.get("is_production") is not False,
        project_id=_required_project_id(project),
        project_name=localized(project.get("name")),
        merchant_id=text_of(project, "merchant_id"),
        country=text_of(source, "country_code").upper(),
        total=Money(decimal(source.get("total_payment_amount")), text_of(source, "currency").upper()),
        charge=_returned(source) if is_refund else money(source.get("order_charge")),
        gross=money(source.get("refund_gross_revenue" if is_refund else "gross_revenue")),
        tax=money(_refunded_tax(source) if is_refund else source.get("tax_fee_total")),
        fees=money(source.get("refund_fees_total" if is_refund else "fees_total")),
        net=money(source.get("refund_reverse_revenue" if is_refund else "net_revenue")),
        method=text_of(method, "external_id"),
        method_title=text_of(method, "title"),
        card_last4=text_of(object_of(method.get("card")), "last4"),
        account=_account(method),
        customer_id=text_of(user, "external_id"),
        customer_name=text_of(user, "name"),
        customer_email=text_of(user, "email"),
        items=tuple(_item(each) for each in list_of(source.get("items"))),
        parent_uuid=uuid_of(object_of(source.get("parent_order")).get("uuid")),
        refund_receipt=text_of(object_of(source.get("refund")), "receipt_number"),
        cancellation_code=text_of(object_of(source.get("cancellation")), "code"),
        raw=source,
        document=text,
    )


def refund(document: object) -> RefundRecord:
    """Read a refund. An unknown status number is kept, a missing one is 0. Raises Unexpected without id."""
    source = object_of(document)
    status = source.get("status", 0)
    if not isinstance(status, int) or not text_of(source, "id"):
        raise Unexpected("a refund without id or status")
    return RefundRecord(
        id=text_of(source, "id"),
        order_uuid=uuid_of(source.get("original_order_id")),
        amount=Money(decimal(source.get("amount")), text_of(source, "currency").upper()),
        status=status,
        reason=text_of(source, "reason"),
        creator_id=text_of(source, "creator_id"),
        created_at=instant(source.get("created_at")),
    )


def project(document: object) -> ProjectRecord:
    """Read a project. Raises Unexpected when it has no id."""
    source = object_of(document)
    if not text_of(source, "id"):
        raise Unexpected("a project without id")
    status = source.get("status", 0)
    return ProjectRecord(
        id=text_of(source, "id"),
        name=localized(source.get("name")),
        status=status if isinstance(status, int) else 0,
        webhook_url=text_of(source, "url_process_payment"),
        secret_key=text_of(source, "secret_key"),
        success_url=text_of(source, "url_redirect_success"),
        fail_url=text_of(source, "url_redirect_fail"),
        callback_protocol=text_of(source, "callback_protocol"),
        merchant_id=text_of(source, "merchant_id"),
    )


def money(value: object) -> Money:
    """Money of either form: an object, the blank object, or null (contract §6.2)."""
    source = object_of(value)
    currency = text_of(source, "currency").upper()
    return Money(decimal(source.get("amount")), currency) if currency else Money()


def without_secrets(source: JsonObject) -> JsonObject:
    """The document without what must not be kept: 2019 leaks the webhook secret (contract §6.3)."""
    project = source.get("project")
    if not isinstance(project, Mapping) or "secret_key" not in project:
        return source
    return {**source, "project": {name: each for name, each in project.items() if name != "secret_key"}}


def _item(document: object) -> ItemRecord:
    source = object_of(document)
    return ItemRecord(
        id=text_of(source, "id"),
        sku=text_of(source, "sku"),
        name=text_of(source, "name"),
        price=Money(decimal(source.get("amount")), text_of(source, "currency")),
        platform_id=text_of(source, "platform_id"),
    )


def _refunded_tax(source: JsonObject) -> object:
    return source.get("refund_tax_fee_total") or source.get("refund_tax_fee")  # 2019 has no total (§6.2)


def _returned(source: JsonObject) -> Money:
    """What a refund row gave back: of a part (2019) less than the charge, which it copies (contract §7.5)."""
    charge, back = money(source.get("order_charge")), money(source.get("refund"))
    return back if back.amount and back.currency == charge.currency else charge


def _account(method: JsonObject) -> str:
    wallet = text_of(object_of(method.get("wallet")), "account")
    return wallet or text_of(object_of(method.get("crypto_currency")), "address")


def _required_uuid(value: object) -> UUID:
    found = uuid_of(value)
    if found is None:
        raise Unexpected("an order without a readable uuid")
    return found


def _required_project_id(project: JsonObject) -> str:
    found = text_of(project, "id")
    if not 0 < len(found) <= _LONGEST_PROJECT_ID:
        raise Unexpected("an order without a readable project")
    return found


def _required_instant(value: object) -> dt.datetime:
    found = instant(value)
    if found is None:
        raise Unexpected("an order without a creation time")
    return found
