"""What a batch will do, and what has become of it."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.db.models import Case, CharField, Count, DateTimeField, F, Func, Sum, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, NullIf

from fulfillment.models import Action, Batch, BatchItem
from transactions import personal
from transactions.exports import csv_file
from transactions.exports.moment import snapshot
from transactions.exports.report import Column, Heading, Kind, Report, Source, Sum as RowCount

_TEXT = Value("")
# What workers bring to an end; the other open ones wait for a person.
_MOVING = (Action.State.REQUESTED, Action.State.SENDING, Action.State.ACCEPTED, Action.State.UNKNOWN)


@dataclass(frozen=True)
class Progress:
    """How the rows stand: `going` of all were to be done, `waiting` of those have not had their turn.

    `open` ones have been asked for and have no end yet; `moving` ones of those get there by themselves.
    """

    total: int
    going: int
    waiting: int
    open: int
    moving: int
    by_result: dict[str, int]

    @property
    def done(self) -> int:
        """Rows that have had their turn."""
        return self.going - self.waiting


def progress_of(batch: Batch) -> Progress:
    """How the rows of a batch stand."""
    counted = batch.items.order_by().values_list("state", "action__state").annotate(number=Count("pk"))
    rows = list(counted)
    by_result: Counter[str] = Counter()
    for state, action_state, number in rows:
        by_result[_words(state, action_state)] += number
    total = sum(by_result.values())
    return Progress(
        total=total,
        going=total - sum(number for state, _, number in rows if state == BatchItem.State.LEFT_OUT),
        waiting=sum(number for state, _, number in rows if state == BatchItem.State.WAITING),
        open=sum(number for _, state, number in rows if state in Action.OPEN),
        moving=sum(number for _, state, number in rows if state in _MOVING),
        by_result=dict(by_result.most_common()),
    )


def sums(batch: Batch) -> list[tuple[str, int, Decimal]]:
    """What is to be done: currency, number of rows and amount as it was seen, never across currencies."""
    going = batch.items.exclude(state=BatchItem.State.LEFT_OUT).order_by()
    rows = going.values("seen_currency").annotate(number=Count("pk"), amount=Sum("seen_amount"))
    found = [(row["seen_currency"], row["number"], row["amount"]) for row in rows]
    return sorted(found, key=lambda each: (-each[1], each[0]))


def write_results(batch: Batch, path: Path, *, masked: bool = False) -> None:
    """Write a CSV of all rows of the batch as they stand now, in its order, guarded like every export.
    Masked, it does not say who the customers are.
    """
    zone = batch.merchant.time_zone
    expressions = _expressions(zone)
    if masked:
        expressions["email"] = personal.email_of("transaction__customer_email")
    query = batch.items.order_by("position").values_list(*expressions.values()).query
    with snapshot(batch.items.db) as (connection, as_of):
        sql, params = query.get_compiler(batch.items.db, elide_empty=False).as_sql()
        report = Report(
            columns=_columns(zone),
            heading=Heading(batch.merchant.name, zone, str(batch), str(batch.requested_by)),
            as_of=as_of,
            sums=(RowCount("", "", batch.items.count(), Decimal(0)),),
            source=Source(tuple(expressions), sql, tuple(params)),
            connection=connection,
            progress=lambda *_: None,
        )
        csv_file.write(report, path)


def _columns(zone: str) -> tuple[Column, ...]:
    return (
        Column("order", "Order ID", 38),
        Column("transaction", "Transaction ID", 38),
        Column("project", "Project", 24),
        Column("product", "Product", 36),
        Column("email", "E-mail", 30),
        Column("amount", "Amount", 14, Kind.MONEY, "currency"),
        Column("currency", "Currency", 10),
        Column("result", "Result", 20),
        Column("detail", "Detail", 60),
        Column("done", f"Asked for ({zone})", 20, Kind.INSTANT),
        Column("changed", f"Last change ({zone})", 20, Kind.INSTANT),
        Column("reference", "Reference", 16),
        Column("refund", "Refund ID at PaySuper", 28),
    )


def _expressions(zone: str) -> dict[str, Combinable]:
    return {
        "order": Cast("transaction_id", TextField()),
        "transaction": F("transaction__transaction_id"),
        "project": F("transaction__project__name"),
        "product": F("transaction__product"),
        "email": F("transaction__customer_email"),
        "amount": F("seen_amount"),
        "currency": F("seen_currency"),
        "result": _result(),
        "detail": Coalesce(NullIf("verdict", _TEXT), "action__outcome", _TEXT),
        "done": _clock("done_at", zone),
        "changed": _clock("action__changed_at", zone),
        "reference": Coalesce("action__reference", _TEXT),
        "refund": Coalesce("action__paysuper_refund_id", _TEXT),
    }


def _result() -> Case:
    """The words of `_words`, for the database."""
    by_action = [When(action__state=state, then=Value(label)) for state, label in Action.State.choices]
    by_item = [When(state=state, then=Value(label)) for state, label in BatchItem.State.choices]
    return Case(*by_action, *by_item, default=F("state"), output_field=CharField())


def _words(item_state: str, action_state: str | None) -> str:
    if action_state:
        return str(Action.State(action_state).label)
    return str(BatchItem.State(item_state).label)


def _clock(field: str, zone: str) -> Func:
    local = Func(Value(zone), F(field), function="timezone", output_field=DateTimeField())
    return Func(Value("second"), local, function="date_trunc", output_field=DateTimeField())
