"""The columns that the list can show: their titles, the values they read, and their cells.

Cells are made here and not in a template: with columns that each person chooses, a template would ask
fifty times a page which ones they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from merchant import money
from merchant.markup import filled, icon
from merchant.templatetags.formats import country, moment
from transactions import personal
from transactions.models import Fulfilment, RowType, Status

Row = Mapping[str, Any]
NOTHING = "–"
# How the latest request for a refund stands; never "refunded" before PaySuper says so.
REFUND_STATES = {
    "awaiting_approval": "Refund waits for approval",
    "requested": "Refund requested",
    "sending": "Refund requested",
    "accepted": "Refund in progress",
    "unknown": "Refund: checking",
    "needs_person": "Refund needs a person",
    "declined": "Refund declined",
    "refused": "Refund refused",
    "not_approved": "Refund not approved",
    "undone": "Refund taken back",
    "replacing_key": "Key is being replaced",
    "key_replaced": "Key replaced, no refund",
}


@dataclass(frozen=True)
class Column:
    """One column of the list. `needs` are the values of a row that its cell is made of."""

    title: str
    needs: tuple[str, ...]
    cell: Callable[[Row], str]
    number: bool = False
    sorts_by: str = ""


def _cut(text: str) -> str:
    return filled('<bdi class="cut" title="{0}">{0}</bdi>', text) if text else NOTHING


def _text(title: str, name: str) -> Column:
    """A text that may be long and is not ours."""
    return Column(title, (name,), lambda row: _cut(row[name]))


def _money(title: str, name: str, currency: str, *, sorts_by: str = "", cost: bool = False) -> Column:
    """An amount; of a refund it is negative, unless it is a cost in either case."""

    def cell(row: Row) -> str:
        if row["type"] != RowType.REFUND or cost:
            return money.display(row[name], row[currency])
        return filled('<span class="money-back">{}</span>', money.display(-row[name], row[currency]))

    return Column(title, (name, currency, "type"), cell, number=True, sorts_by=sorts_by)


def _status(row: Row) -> str:
    status = row["status"]
    shown = filled(
        '<span class="status status-{}">{}{}</span>', status, icon(status), status[:1].upper() + status[1:]
    )
    if row["refund_state"] and status == Status.PROCESSED:
        shown += filled('<span class="row-state">{}</span>', _refund_state(row))
    if row["fulfilment"] == Fulfilment.PARTLY:
        shown += filled('<span class="row-state">{}</span>', Fulfilment.PARTLY.label)
    return shown


def _transaction_id(row: Row) -> str:
    """The one link of the row."""
    number, uuid = row["transaction_id"], str(row["uuid"])
    named = number or filled('<span class="muted" title="{}">{}…</span>', uuid, uuid[:8])
    return filled(
        '<a class="row-link" id="tx-{1}" href="{0}{1}/{2}" data-row>'
        '<span class="unseen">Transaction </span>{3}</a>{4}',
        row["list"],
        uuid,
        row["suffix"],
        named,
        "" if row["is_production"] else SafeString(' <span class="tag">Test</span>'),
    )


def _fulfilment(row: Row) -> str:
    """Only what has been paid can wait for its goods."""
    state: str = row["fulfilment"]
    if state != Fulfilment.UNFULFILLED:
        return Fulfilment(state).label if state in Fulfilment.values else state
    waits = row["type"] == RowType.ORDER and row["status"] == Status.PROCESSED
    return Fulfilment.UNFULFILLED.label if waits else NOTHING


def _refund_state(row: Row) -> str:
    state: str = row["refund_state"]
    return REFUND_STATES.get(state, state) or NOTHING


def _email(row: Row) -> str:
    address: str = row["customer_email"]
    return _cut(personal.email(address) if row["masked"] else address)


def _card(row: Row) -> str:
    return f"•••• {row['card_last4']}" if row["card_last4"] else NOTHING


def _type(row: Row) -> str:
    kind: str = row["type"]
    return RowType(kind).label if kind in RowType.values else kind


COLUMNS = {
    "status": Column("Status", ("status", "refund_state", "fulfilment"), _status),
    "project": _text("Project", "project_name"),
    "product": _text("Product", "product"),
    "date": Column(
        "Date & time", ("created_at",), lambda row: moment(row["created_at"]), sorts_by="created_at"
    ),
    "country": Column(
        "Country",
        ("country",),
        lambda row: filled('<span class="cut">{}</span>', country(row["country"])),
    ),
    "method": Column(
        "Method",
        ("method", "method_title"),
        lambda row: filled('<span class="cut">{}</span>', row["method_title"] or row["method"] or NOTHING),
    ),
    "id": Column("Transaction ID", ("transaction_id", "is_production"), _transaction_id),
    "amount": _money("Amount", "charge_amount", "charge_currency", sorts_by="charge_amount"),
    "order": Column("Order ID", ("uuid",), lambda row: filled('<span class="mono">{}</span>', row["uuid"])),
    "email": Column("Customer e-mail", ("customer_email",), _email),
    "customer": _text("Customer ID", "customer_id"),
    "currency": Column("Currency", ("charge_currency",), lambda row: row["charge_currency"] or NOTHING),
    "gross": _money("Gross", "gross_amount", "payout_currency"),
    "tax": _money("Tax", "tax_amount", "payout_currency"),
    "fees": _money("Fees", "fees_amount", "payout_currency", cost=True),
    "net": _money("Net", "net_amount", "payout_currency"),
    "fulfilment": Column("Fulfilment", ("fulfilment", "status", "type"), _fulfilment),
    "refund": Column("Refund", ("refund_state",), _refund_state),
    "type": Column("Type", ("type",), _type),
    "card": Column("Card", ("card_last4",), _card),
    "paid": Column("Paid at", ("paid_at",), lambda row: moment(row["paid_at"])),
    "receipt": _text("Refund receipt", "refund_receipt"),
    "mode": Column(
        "Test or live", ("is_production",), lambda row: "Live" if row["is_production"] else "Test"
    ),
}
