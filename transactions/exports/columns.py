"""The columns of an export of transactions, and the one select that all formats read."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    F,
    Func,
    QuerySet,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.functions import Cast, Coalesce, NullIf, Replace

from transactions import personal
from transactions.exports.amounts import rounded
from transactions.exports.report import Column, Kind, Source, Sum
from transactions.models import Fulfilment, RowType, Status, Transaction

_MONEY = Kind.MONEY


def titled(time_zone: str) -> tuple[Column, ...]:
    """All columns in their order; the titles of instants name their zone."""
    return (
        Column("local", f"Date and time ({time_zone})", 20, Kind.INSTANT, short="Date and time", share=33),
        Column("utc", "Date and time (UTC)", 20, Kind.INSTANT),
        Column("type", "Type", 9),
        Column("status", "Status", 12, short="Status", share=22),
        Column("project", "Project", 24, short="Project", share=34),
        Column("product", "Product", 36, short="Product", share=58),
        Column("country", "Country", 9, short="Country", share=15),
        Column("method", "Payment method", 18, short="Method", share=28),
        Column("transaction", "Transaction ID", 38, short="Transaction ID", share=51),
        Column("order", "Order ID", 38, ours=True),
        Column("customer", "Customer ID", 26),
        Column("name", "Customer name", 26),
        Column("email", "E-mail", 30),
        Column("total", "Order amount", 14, _MONEY, "total_currency"),
        Column("total_currency", "Order currency", 10),
        Column("charge", "Charge amount", 14, _MONEY, "charge_currency", short="Charge", share=32),
        Column("charge_currency", "Charge currency", 10),
        Column("gross", "Gross", 14, _MONEY, "payout_currency"),
        Column("tax", "Tax", 12, _MONEY, "payout_currency"),
        Column("fees", "Fees", 12, _MONEY, "payout_currency"),
        Column("net", "Net", 14, _MONEY, "payout_currency"),
        Column("payout_currency", "Payout currency", 10),
        Column("fulfilment", "Fulfilment", 13),
        Column("refund_of", "Refund of", 38, ours=True),
        Column("receipt", "Refund receipt", 26),
        Column("decline", "Decline code", 10),
        Column("test", "Test", 7, ours=True),
        Column("refund", "Refund", 16),
        Column("card", "Card ends in", 8),
        Column("paid", f"Paid at ({time_zone})", 20, ours=True),
    )


def chosen(titled: Sequence[Column], keys: Sequence[str]) -> tuple[Column, ...]:
    """The columns of these keys in this order; all of them for none.

    No amount goes without its currency: where that is not among the keys, it stands behind the amount. Keys
    that are not known any more are left out.
    """
    known = {column.key: column for column in titled}
    named = [known[key] for key in dict.fromkeys(keys) if key in known]
    if not named:
        return tuple(titled)
    wanted = {column.key for column in named}
    found: dict[str, Column] = {}
    for column in named:
        found[column.key] = column
        if column.currency and column.currency not in wanted:
            found[column.currency] = known[column.currency]
    return tuple(found.values())


def source(queryset: QuerySet[Transaction], time_zone: str, *, masked: bool = False) -> Source:
    """The select of the queryset's rows with the keys of `titled`, typed, in the queryset's order.

    Masked, it tells as little of the customers as the pages of roles that may not see them.
    """
    selected = _expressions(time_zone)
    if masked:
        selected |= {
            "name": personal.name_of("customer_name"),
            "email": personal.email_of("customer_email"),
        }
    query = queryset.values_list(*selected.values()).query
    # Not elided: a filter that can match nothing still makes a file, with no rows in it.
    sql, params = query.get_compiler(queryset.db, elide_empty=False).as_sql()
    return Source(tuple(selected), sql, tuple(params))


def sums(unordered: Source, connection: BaseDatabaseWrapper) -> tuple[Sum, ...]:
    """What the charges, as the rows show them, add up to by charge currency and status."""
    # With the four decimals of the column, which are part of the control code.
    amount = f"round(sum({rounded('charge', 'charge_currency')}), 4)"
    select = unordered.select(['"charge_currency"', '"status"', "count(*)", amount])
    with connection.cursor() as cursor:
        cursor.execute(f"{select} GROUP BY 1, 2 ORDER BY 1, 2", unordered.params)
        return tuple(Sum(*row) for row in cursor.fetchall())


def _expressions(time_zone: str) -> dict[str, Combinable]:
    """By key. Refund rows hold positive amounts at PaySuper: here, and only here, they turn negative.

    Fees stay as they are, since those of a refund are a cost as well: net = gross - tax - fees in every row.
    """
    return {
        "local": _clock(time_zone),
        "utc": _clock("UTC"),
        "type": _label("type", RowType),
        "status": _label("status", Status),
        "project": F("project__name"),
        "product": F("product"),
        "country": F("country"),
        "method": Coalesce(NullIf("method_title", Value("")), "method"),
        "transaction": F("transaction_id"),
        "order": Cast("uuid", TextField()),
        "customer": F("customer_id"),
        "name": F("customer_name"),
        "email": F("customer_email"),
        "total": _signed("total_amount"),
        "total_currency": F("currency"),
        "charge": _signed("charge_amount"),
        "charge_currency": F("charge_currency"),
        "gross": _signed("gross_amount"),
        "tax": _signed("tax_amount"),
        "fees": F("fees_amount"),
        "net": _signed("net_amount"),
        "payout_currency": F("payout_currency"),
        "fulfilment": _label("fulfilment", Fulfilment),
        "refund_of": Coalesce(Cast("parent_uuid", TextField()), Value(""), output_field=TextField()),
        "receipt": F("refund_receipt"),
        "decline": F("cancellation_code"),
        "test": Case(When(is_production=True, then=Value("no")), default=Value("yes")),
        "refund": Replace(F("refund_state"), Value("_"), Value(" ")),
        "card": F("card_last4"),
        "paid": _written(_clock(time_zone, "paid_at")),
    }


def _written(instant: Combinable) -> Combinable:
    """As text, since not everything has happened."""
    text = Func(instant, Value("YYYY-MM-DD HH24:MI:SS"), function="to_char", output_field=TextField())
    return Coalesce(text, Value(""), output_field=TextField())


def _clock(time_zone: str, field: str = "created_at") -> Combinable:
    """What a clock in the zone showed, in whole seconds so that all formats agree on it."""
    local = Func(Value(time_zone), F(field), function="timezone", output_field=DateTimeField())
    return Func(Value("second"), local, function="date_trunc", output_field=DateTimeField())


def _label(field: str, choices: type[TextChoices]) -> Combinable:
    """The label of a choice; a value that PaySuper invented stays as it is."""
    known = [When(**{field: value}, then=Value(label)) for value, label in choices.choices]
    return Case(*known, default=F(field), output_field=CharField())


def _signed(field: str) -> Combinable:
    negative: CombinedExpression = F(field) * Value(Decimal(-1))
    return Case(When(type=RowType.REFUND, then=negative), default=F(field))
