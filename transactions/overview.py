"""Figures over transactions: never across currencies, and a refund never counts twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from transactions.models import DailyTotal, RowType, Status, Transaction

COUNT_LIMIT = 10_000
# Sales that were paid, even when the money went back later (contract §20.12).
PAID = (Status.PROCESSED, Status.REFUNDED, Status.CHARGEBACK)


@dataclass(frozen=True)
class Total:
    """What was charged and given back in one currency, in major units."""

    currency: str
    count: int
    paid: Decimal
    refunded: Decimal

    @property
    def net(self) -> Decimal:
        """What is left of the charges."""
        return self.paid - self.refunded


def totals(queryset: QuerySet[Transaction]) -> Sequence[Total]:
    """The totals of these transactions by charge currency, the most used currency first.

    Charges of paid orders count as paid and refund rows as refunded, so an order that was given back
    adds nothing to the net.
    """
    rows = (
        queryset.order_by()
        .values("charge_currency")
        .annotate(
            count=Count("pk"),
            paid=Sum("charge_amount", filter=Q(type=RowType.ORDER, status__in=PAID), default=Decimal(0)),
            refunded=Sum("charge_amount", filter=Q(type=RowType.REFUND), default=Decimal(0)),
        )
    )
    found = [Total(row["charge_currency"], row["count"], row["paid"], row["refunded"]) for row in rows]
    return _most_used(found)


def totals_of_days(daily: QuerySet[DailyTotal]) -> Sequence[Total]:
    """The same from the daily totals: as quick for ten million transactions as for ten."""
    kinds = daily.values("status", "type", "currency")
    return totals_of_kinds(kinds.annotate(entries=Sum("count"), charged=Sum("amount")))


def totals_of_rows(rows: Iterable[Mapping[str, Any]]) -> Sequence[Total]:
    """The same from rows of the list that have been read already."""
    return totals_of_kinds(
        {**row, "currency": row["charge_currency"], "entries": 1, "charged": row["charge_amount"]}
        for row in rows
    )


def totals_of_kinds(kinds: Iterable[Mapping[str, Any]]) -> Sequence[Total]:
    """The same from entries and amounts that are summed up by status, type and currency."""
    found: dict[str, Total] = {}
    for kind in kinds:
        paid = kind["type"] == RowType.ORDER and kind["status"] in PAID
        refunded = kind["type"] == RowType.REFUND
        before = found.get(kind["currency"], Total(kind["currency"], 0, Decimal(0), Decimal(0)))
        found[kind["currency"]] = Total(
            before.currency,
            before.count + kind["entries"],
            before.paid + (kind["charged"] if paid else 0),
            before.refunded + (kind["charged"] if refunded else 0),
        )
    return _most_used([total for total in found.values() if total.count])


def _most_used(found: list[Total]) -> Sequence[Total]:
    return sorted(found, key=lambda total: (-total.count, total.currency))


def counted(queryset: QuerySet[Transaction]) -> int | None:
    """How many there are, or None for more than COUNT_LIMIT: an exact count of millions is slow."""
    count = queryset.order_by()[: COUNT_LIMIT + 1].count()
    return count if count <= COUNT_LIMIT else None
