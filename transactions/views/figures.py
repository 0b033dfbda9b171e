"""The figures over a list that were not told at once."""

from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant.access import MemberRequest, Right, may, requires
from transactions import figures, overview, selection, tabs
from transactions.filters import TransactionFilter
from transactions.timeouts import TooSlow, limited
from transactions.views.common import are_of_our_days, export_menu, list_with, sync_state, without

_SHARE_OF_TABS = 0.2


@require_safe
@requires(Right.VIEW)
def list_figures(request: MemberRequest) -> HttpResponse:
    """Count and totals of a list and the counts of its tabs; with "everything" of however many rows."""
    query = without(without(request.GET, "everything"), "cursor")
    filters, told, too_slow = TransactionFilter.of(request.membership, query), figures.Figures(), False
    if not filters.is_valid():
        return list_with(query.urlencode())
    try:
        with limited():
            told = figures.asked_for(filters, everything="everything" in request.GET)
    except TooSlow:
        too_slow = True
    told = replace(told, counts=_tab_counts(request, filters))
    context = {
        "filter": filters,
        "figures": told,
        "tabs": tabs.of(filters, told.counts),
        "count_limit": overview.COUNT_LIMIT,
        "too_slow": too_slow,
        "query": query.urlencode(),
        **export_menu(request),
        "select_at_most": selection.LIMIT if may(request.membership, Right.EXPORT) else None,
    }
    template = "transactions/_figures_apart.html" if request.htmx else "transactions/figures.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _tab_counts(request: MemberRequest, filters: TransactionFilter) -> tabs.Counts | None:
    """Those of the tabs, unless counting takes long: nobody has asked for them, and tabs can do without."""
    try:
        with limited(_SHARE_OF_TABS):
            return figures.tab_counts(filters, by_days=are_of_our_days(request, sync_state(request)))
    except TooSlow:
        return None
