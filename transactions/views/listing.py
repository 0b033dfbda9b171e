"""The Transactions page."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, requires
from transactions import figures, overview, paging, preferences, tables, tabs
from transactions.filters import TransactionFilter
from transactions.models import Export, SyncState
from transactions.preferences import Preferences
from transactions.timeouts import TooSlow, limited
from transactions.views.common import are_of_our_days, list_with, mine, sync_state, without

_NOTHING = paging.Page(rows=[], previous="", next="")


@require_safe
@requires(Right.VIEW)
def transaction_list(request: MemberRequest) -> HttpResponse:
    """The Transactions page. htmx gets only the part that filters change."""
    merchant, wanted = request.membership.merchant, preferences.of(request.membership)
    filters, order = TransactionFilter(merchant, request.GET), request.GET.get("sort", paging.DEFAULT_ORDER)
    size, state = _page_size(request, wanted), sync_state(request)
    try:
        with limited():
            values, cursor = tables.values_of(wanted.columns), request.GET.get("cursor", "")
            page = paging.page(filters.found, order, cursor, size, values)
        told = _figures(request, filters, page, state)
        empty = _why_empty(request, filters, page, state)
    except TooSlow:
        page, told, empty = _NOTHING, figures.Figures(), "too_slow"
    context: dict[str, Any] = {
        "filter": filters,
        "chips": list(filters.chips()),
        "tabs": tabs.of(filters, told.counts),
        "figures": told,
        "count_limit": overview.COUNT_LIMIT,
        "page": page,
        **_table(page, order, wanted, size),
        "sync_state": state,
        "trouble": line.trouble(merchant),
        "query": without(request.GET, "cursor").urlencode(),
        "formats": Export.Format,
        "empty": empty,
    }
    template = "transactions/_list.html" if request.htmx else "transactions/list.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@requires(Right.VIEW)
def list_figures(request: MemberRequest) -> HttpResponse:
    """Count and totals of a list and the counts of its tabs; with "everything" of however many rows."""
    query = without(request.GET, "everything")
    filters, told = TransactionFilter(request.membership.merchant, query), figures.Figures()
    if not filters.is_valid():
        return list_with(query.urlencode())
    try:
        with limited():
            told = figures.asked_for(filters, everything="everything" in request.GET)
    except TooSlow:
        too_slow = True
    else:
        too_slow = False
    context = {
        "filter": filters,
        "figures": told,
        "tabs": tabs.of(filters, told.counts),
        "count_limit": overview.COUNT_LIMIT,
        "too_slow": too_slow,
        "query": query.urlencode(),
    }
    template = "transactions/_figures_apart.html" if request.htmx else "transactions/figures.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _figures(
    request: MemberRequest, filters: TransactionFilter, page: paging.Page, state: SyncState | None
) -> figures.Figures:
    try:
        with limited():
            return figures.at_once(filters, page, by_days=are_of_our_days(request, state))
    except TooSlow:
        return figures.Figures()  # the list is there; its figures may be asked for


def _table(page: paging.Page, order: str, wanted: Preferences, size: int) -> dict[str, Any]:
    return {
        "table": tables.header(order, wanted.columns),
        "rows": tables.rows(page.rows, wanted.columns),
        "preferences": wanted,
        "page_size": size,
        "page_sizes": preferences.PAGE_SIZES,
    }


def _page_size(request: MemberRequest, wanted: Preferences) -> int:
    """The address beats what the person is used to."""
    asked = request.GET.get("size", "")
    return int(asked) if asked in map(str, preferences.PAGE_SIZES) else wanted.page_size


def _why_empty(
    request: MemberRequest, filters: TransactionFilter, page: paging.Page, state: SyncState | None
) -> str:
    if page.rows:
        return ""
    if not filters.is_valid():
        return "invalid"
    if any(filters.chips()) or mine(request).exists():
        return "no_match"
    return "cannot_reach" if state and state.is_failing else "none_yet"
