"""The tabs over the list: the states that people ask for most, and how many rows each would show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, IntegerField, Q, QuerySet, Subquery, Sum

from merchant.models import Merchant
from transactions.filters import WAITING, TransactionFilter
from transactions.models import DailyTotal, Fulfilment, Status, Transaction
from transactions.overview import COUNT_LIMIT

# What each tab sets in the address. Every other filter stays as it is.
TABS: Mapping[str, Mapping[str, list[str]]] = {
    "All": {},
    "To fulfil": {"fulfilment": [Fulfilment.UNFULFILLED]},
    "Processed": {"status": [Status.PROCESSED]},
    "Refunded": {"status": [Status.REFUNDED]},
    "Chargeback": {"status": [Status.CHARGEBACK]},
    "Failed": {"status": [Status.REJECTED, Status.CANCELED]},
}
_SET = ("status", "fulfilment")
Counts = Mapping[str, int]


@dataclass(frozen=True)
class Tab:
    """One tab: the query it leads to, whether it is the one that is shown, and its count in words."""

    label: str
    query: str
    is_current: bool
    count: str


class _Capped(Subquery):
    """How many rows a query has, counted no further than one over COUNT_LIMIT."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS capped)"

    def __init__(self, queryset: QuerySet[Transaction]) -> None:
        super().__init__(queryset.order_by().values("pk")[: COUNT_LIMIT + 1], output_field=IntegerField())


def of(filters: TransactionFilter, *, by_days: bool) -> list[Tab]:
    """The tabs of a list, counted by one query.

    They have no counts where nonsense finds nothing or an id sets all filters aside. `by_days` says that
    the daily totals are of the merchant's own days.
    """
    counts = _counts(filters, by_days=by_days) if filters.is_valid() else {}
    asked = {name: set(filters.values_of(name)) for name in _SET if filters.values_of(name)}
    by_id = filters.is_by_id
    return [
        Tab(
            label,
            _query(filters, wanted),
            is_current=not by_id and asked == {name: set(values) for name, values in wanted.items()},
            count="" if by_id else _in_words(counts.get(label)),
        )
        for label, wanted in TABS.items()
    ]


def _query(filters: TransactionFilter, wanted: Mapping[str, list[str]]) -> str:
    query = filters.data.copy()
    for name in ("cursor", *_SET):
        query.pop(name, None)
    if filters.is_by_id:
        query.pop("q")
    for name, values in wanted.items():
        query.setlist(name, values)
    return str(query.urlencode())


def _in_words(count: int | None) -> str:
    if count is None:
        return ""
    return f"over {COUNT_LIMIT:,}" if count > COUNT_LIMIT else f"{count:,}"


def _counts(filters: TransactionFilter, *, by_days: bool) -> Counts:
    daily = filters.daily_of_narrowed(leaving_out=_SET) if by_days else None
    return _from_days(daily, filters) if daily is not None else _from_rows(filters)


def _from_days(daily: QuerySet[DailyTotal], filters: TransactionFilter) -> Counts:
    # The daily totals know nothing of goods; those rows are counted in the same breath.
    waiting = _Capped(filters.narrowed(leaving_out=_SET).filter(WAITING))
    rows = list(daily.values("status").annotate(entries=Sum("count"), waiting=waiting))
    return {
        "All": sum(row["entries"] for row in rows),
        "To fulfil": rows[0]["waiting"] if rows else 0,
        **{
            label: sum(row["entries"] for row in rows if row["status"] in wanted["status"])
            for label, wanted in TABS.items()
            if "status" in wanted
        },
    }


def _from_rows(filters: TransactionFilter) -> Counts:
    base = filters.narrowed(leaving_out=_SET)
    conditions = {"All": Q(), "To fulfil": WAITING}
    conditions |= {label: Q(status__in=set_["status"]) for label, set_ in TABS.items() if "status" in set_}
    columns = {f"tab_{number}": _Capped(base.filter(each)) for number, each in enumerate(conditions.values())}
    # Asked along with the counts, since it would be a query of its own a little later.
    known = Merchant.objects.filter(pk=filters.merchant.pk).values(by_id=Exists(filters.named), **columns)
    row: Mapping[str, Any] = known.get()
    filters.is_by_id = row["by_id"]
    return {label: row[f"tab_{number}"] or 0 for number, label in enumerate(conditions)}
