"""What several pages show: the state of the sync, and the figures over a list."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from merchant.access import MemberRequest
from transactions import overview
from transactions.filters import TransactionFilter
from transactions.models import SyncState, Transaction


def mine(request: MemberRequest) -> QuerySet[Transaction]:
    """The transactions of the member's merchant."""
    return Transaction.objects.filter(merchant=request.membership.merchant)


def sync_state(request: MemberRequest) -> SyncState | None:
    """How the mirror stands, or None before the first sync."""
    # Read together with the membership.
    return getattr(request.membership.merchant, "sync_state", None)


def are_of_our_days(request: MemberRequest, state: SyncState | None) -> bool:
    """Whether the daily totals are of the days that the merchant has now."""
    return state is not None and state.totals_zone == request.membership.merchant.time_zone


def figures(request: MemberRequest, filters: TransactionFilter, state: SyncState | None) -> dict[str, Any]:
    """Count and totals of the list: from the daily totals where those can tell and are of today's days."""
    daily = filters.daily if are_of_our_days(request, state) else None
    if daily is not None:
        totals = overview.totals_of_days(daily)
        return {"totals": totals, "count": sum(total.count for total in totals)}
    totals, count = overview.totals(filters.found), overview.counted(filters.found)
    return {"totals": totals, "count": count, "count_limit": overview.COUNT_LIMIT}


def without(query: QueryDict, name: str) -> QueryDict:
    """The query without one of its names."""
    rest = query.copy()
    rest.pop(name, None)
    return rest


def list_with(query: str) -> HttpResponse:
    """To the first page of the list with this query, which came from a form."""
    kept = without(QueryDict(query), "cursor").urlencode()
    return redirect(f"{reverse('transactions:list')}?{kept}" if kept else "transactions:list")
