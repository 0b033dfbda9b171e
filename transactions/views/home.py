"""The overview."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, requires
from transactions import overview, paging, tables
from transactions.filters import TransactionFilter
from transactions.views.common import figures, mine, sync_state


@require_safe
@requires(Right.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """The last thirty days in figures, and how fresh they are."""
    merchant = request.membership.merchant
    recent, state = TransactionFilter(merchant, QueryDict("period=last_30_days")), sync_state(request)
    waiting = TransactionFilter(merchant, QueryDict("fulfilment=unfulfilled")).found
    context = {
        "totals": figures(request, recent, state)["totals"],
        "waiting": overview.counted(waiting),
        "sync_state": state,
        "trouble": line.trouble(request.membership.merchant),
        "newest": _newest(request),
    }
    return render(request, "transactions/home.html", context)


def _newest(request: MemberRequest) -> list[dict[str, Any]]:
    values = tables.values_of(tables.DEFAULT_COLUMNS)
    found = paging.page(mine(request), paging.DEFAULT_ORDER, "", 8, values).rows
    return list(tables.rows(found, tables.DEFAULT_COLUMNS, masked=True))
