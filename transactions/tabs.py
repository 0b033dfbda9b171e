"""The tabs over the list: the states that people ask for most, and how many rows each would show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, Q, QuerySet, Subquery

from merchant.models import Merchant
from transactions import paging
from transactions.filters import TransactionFilter
from transactions.models import TO_FULFIL, Fulfilment, Status, Transaction
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
SET = ("status", "fulfilment")
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
        # In the order of the list, so that a limit ends a walk along its index, not a scan of everybody's.
        found = paging.ordered(queryset, paging.DEFAULT_ORDER).values("pk")
        super().__init__(found[: COUNT_LIMIT + 1], output_field=IntegerField())


def of(filters: TransactionFilter, counts: Counts | None) -> list[Tab]:
    """The tabs of a list, with their counts if those are known.

    They have none where nonsense finds nothing or an id sets all filters aside.
    """
    counts = counts or {}
    asked = {name: set(filters.values_of(name)) for name in SET if filters.values_of(name)}
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
    for name in ("cursor", *SET):
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


def waiting(filters: TransactionFilter) -> Subquery:
    """How many rows wait to be fulfilled, for a query over daily totals, which know nothing of goods."""
    return _Capped(filters.narrowed(leaving_out=SET).filter(TO_FULFIL))


def counts_of_kinds(kinds: Sequence[Mapping[str, Any]]) -> Counts:
    """The counts from the entries of each status."""
    return {
        "All": sum(kind["entries"] for kind in kinds),
        "To fulfil": max((kind["waiting"] for kind in kinds), default=0),
        **{
            label: sum(kind["entries"] for kind in kinds if kind["status"] in wanted["status"])
            for label, wanted in TABS.items()
            if "status" in wanted
        },
    }


def counts_of_rows(filters: TransactionFilter) -> Counts:
    """The counts from the transactions, by one query, each no further than one over COUNT_LIMIT."""
    base = filters.narrowed(leaving_out=SET)
    conditions = {"All": Q(), "To fulfil": TO_FULFIL}
    conditions |= {label: Q(status__in=set_["status"]) for label, set_ in TABS.items() if "status" in set_}
    columns = {f"tab_{number}": _Capped(base.filter(each)) for number, each in enumerate(conditions.values())}
    row: Mapping[str, Any] = Merchant.objects.filter(pk=filters.merchant.pk).values(**columns).get()
    return {label: row[f"tab_{number}"] or 0 for number, label in enumerate(conditions)}
