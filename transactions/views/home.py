"""The overview."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, requires
from transactions import overview, paging, tables
from transactions.filters import TransactionFilter
from transactions.views.common import are_of_our_days, mine, sync_state


@require_safe
@requires(Right.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """The last thirty days in figures, and how fresh they are."""
    merchant = request.membership.merchant
    recent, state = TransactionFilter(merchant, QueryDict("period=last_30_days")), sync_state(request)
    waiting = TransactionFilter(merchant, QueryDict("fulfilment=unfulfilled")).found
    context = {
        "totals": _totals(recent, by_days=are_of_our_days(request, state)),
        "waiting": overview.counted(waiting),
        "sync_state": state,
        "trouble": line.trouble(request.membership.merchant),
        "newest": _newest(request),
    }
    return render(request, "transactions/home.html", context)


def _totals(recent: TransactionFilter, *, by_days: bool) -> Sequence[overview.Total]:
    daily = recent.daily if by_days else None
    return overview.totals(recent.found) if daily is None else overview.totals_of_days(daily)


def _newest(request: MemberRequest) -> list[dict[str, Any]]:
    values = tables.values_of(tables.DEFAULT_COLUMNS)
    entries = tables.with_project(mine(request))
    found = paging.page(entries, paging.DEFAULT_ORDER, "", 8, values).rows
    return list(tables.rows(found, tables.DEFAULT_COLUMNS, masked=True))
