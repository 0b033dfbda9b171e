"""What stands over the list: how many rows there are, their totals, and the counts of the tabs.

Only what the daily totals or the page's own rows can tell is told at once; the rest is asked for apart, so
that the list does not wait for it. A sum is whole or it is not shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum, Value

from merchant.models import Merchant
from transactions import overview, paging, tabs
from transactions.filters import TransactionFilter

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Figures:
    """The figures of a list. `count` is None for more than overview.COUNT_LIMIT.

    `totals` is None while nobody has added them up, `counts` (of the tabs) while nobody has counted.
    """

    count: int | None = None
    totals: Sequence[overview.Total] | None = None
    counts: tabs.Counts | None = None


def at_once(filters: TransactionFilter, page: paging.Page, *, by_days: bool) -> Figures:
    """What can be told without reading further rows, by one query at most.

    `by_days` says that the daily totals are of the merchant's own days.
    """
    kinds = _kinds(filters) if by_days else None
    counts = None if kinds is None else tabs.counts_of_kinds(kinds)
    if not (page.previous or page.next):
        return Figures(len(page.rows), overview.totals_of_rows(page.rows), counts)
    if kinds is None or filters.values_of("fulfilment"):
        return Figures(counts=counts)
    wanted = filters.form.cleaned_data["status"]
    totals = overview.totals_of_kinds(kind for kind in kinds if not wanted or kind["status"] in wanted)
    return Figures(sum(total.count for total in totals), totals, counts)


def asked_for(filters: TransactionFilter, *, everything: bool) -> Figures:
    """Count and totals of the rows themselves: added up if there are few, or if `everything` is wanted."""
    if not everything and overview.counted(filters.found) is None:
        return Figures()
    totals = overview.totals(filters.found)
    return Figures(sum(total.count for total in totals), totals)


def tab_counts(filters: TransactionFilter, *, by_days: bool) -> tabs.Counts | None:
    """How many rows each tab would show, by one query; None where the tabs have no counts."""
    if not filters.is_valid() or filters.is_by_id:
        return None
    kinds = _kinds(filters) if by_days else None
    return tabs.counts_of_rows(filters) if kinds is None else tabs.counts_of_kinds(kinds)


def _kinds(filters: TransactionFilter) -> Sequence[Row] | None:
    """Entries and amounts by status, type and currency, whatever the tab, and how many rows wait for goods.

    None when the daily totals cannot tell.
    """
    totals = None if filters.is_by_id else filters.totals_of_narrowed(leaving_out=tabs.SET)
    if totals is None:
        return None
    kinds = [
        each.values("status", "type", "currency").annotate(entries=Sum("count"), charged=Sum("amount"))
        for each in totals
    ]
    waiting = tabs.waiting(filters)
    if len(kinds) == 1:
        return list(kinds[0].annotate(waiting=waiting))
    # Counted once, in a row of its own: it would be the same beside every kind.
    first, *rest = (each.annotate(waiting=Value(0)) for each in kinds)
    texts = {f"no_{name}": Value("") for name in ("status", "type", "currency")}
    numbers = {"no_entries": Value(0), "no_charge": Value(Decimal(0))}
    alone = Merchant.objects.filter(pk=filters.merchant.pk).values(**texts, **numbers, waiting=waiting)
    return list(first.union(*rest, alone, all=True))
