"""The Transactions page."""

import secrets
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, may, requires
from transactions import figures, newer, overview, paging, preferences, saving, selection, tables, tabs
from transactions.filters import TransactionFilter, choices
from transactions.models import SyncState
from transactions.preferences import Preferences
from transactions.timeouts import TooSlow, limited
from transactions.views.common import are_of_our_days, export_menu, mine, sync_state, without
from transactions.views.origin import suffix

# Where figures would be zeros, or would take as long as the rows did.
_NOTHING_TO_TELL = frozenset({"too_slow", "none_yet", "cannot_reach"})


@require_safe
@requires(Right.VIEW)
def transaction_list(request: MemberRequest) -> HttpResponse:
    """The Transactions page; without a query the person's default view. htmx gets what filters change."""
    merchant, wanted = request.membership.merchant, preferences.of(request.membership)
    known = choices.of(merchant)
    links = saving.links(request.membership, known)
    default = saving.default(links, wanted.default_view)
    if default and not request.GET and not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{reverse('transactions:list')}?{default.query}")
    query = _past_the_default(request.GET) if default else request.GET
    filters = TransactionFilter.of(request.membership, query, known)
    order = request.GET.get("sort", paging.DEFAULT_ORDER)
    size, state = _page_size(request, wanted), sync_state(request)
    page, too_slow = _page(request, filters, order, size, wanted)
    chips = list(filters.chips())
    empty = "too_slow" if too_slow else _why_empty(request, filters, page, chips, state)
    told = figures.Figures() if empty in _NOTHING_TO_TELL else _figures(request, filters, page, state)
    context: dict[str, Any] = {
        "filter": filters,
        "chips": chips,
        "tabs": tabs.of(filters, told.counts),
        "figures": told,
        "count_limit": overview.COUNT_LIMIT,
        "page": page,
        **_table(request, page, order, wanted, size),
        **_views(request, links, default),
        "newest_shown": newer.mark(page.rows) if _shows_the_newest(request, filters, order) else None,
        "sync_state": state,
        "trouble": line.trouble(merchant),
        "query": without(request.GET, "cursor").urlencode(),
        **export_menu(request),
        **_selecting(request),
        "empty": empty,
    }
    template = "transactions/_list.html" if request.htmx else "transactions/list.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _page(
    request: MemberRequest, filters: TransactionFilter, order: str, size: int, wanted: Preferences
) -> tuple[paging.Page, bool]:
    """The page that was asked for, and whether it took too long to find."""
    values, cursor = tables.values_of(wanted.columns), request.GET.get("cursor", "")
    try:
        with limited():
            return paging.page(tables.with_project(filters.found), order, cursor, size, values), False
    except TooSlow:
        return paging.Page(rows=[], previous="", next=""), True


def _figures(
    request: MemberRequest, filters: TransactionFilter, page: paging.Page, state: SyncState | None
) -> figures.Figures:
    """Those that can be told at once; the list does not fall with them."""
    try:
        with limited():
            return figures.at_once(filters, page, by_days=are_of_our_days(request, state))
    except TooSlow:
        return figures.Figures()


def _table(
    request: MemberRequest, page: paging.Page, order: str, wanted: Preferences, size: int
) -> dict[str, Any]:
    selectable = may(request.membership, Right.EXPORT)
    masked, end = not may(request.membership, Right.PERSONAL), suffix(request.GET.urlencode())
    return {
        "table": tables.header(order, wanted.columns),
        "rows": tables.rows(page.rows, wanted.columns, suffix=end, masked=masked, selectable=selectable),
        "page_rows": " ".join(str(row["uuid"]) for row in page.rows),
        "preferences": wanted,
        "page_size": size,
        "page_sizes": preferences.PAGE_SIZES,
    }


def _selecting(request: MemberRequest) -> dict[str, Any]:
    """Who may do anything with several rows may export them."""
    return {
        "selectable": may(request.membership, Right.EXPORT),
        "select_at_most": selection.LIMIT,
        "form_key": secrets.token_hex(8),
    }


def _past_the_default(query: QueryDict) -> QueryDict:
    """The query with which an address means what it says, even when no filter is left in it."""
    query = query.copy()
    query["view"] = "all"
    return query


def _views(
    request: MemberRequest, links: Sequence[saving.Link], default: saving.Link | None
) -> dict[str, Any]:
    current = saving.comparable(request.GET)
    return {
        "views": links,
        "current_view": current,
        "is_saved": any(link.query == current for link in links),
        "everything": reverse("transactions:list") + ("?view=all" if default else ""),
        "has_default": default is not None,
    }


def _page_size(request: MemberRequest, wanted: Preferences) -> int:
    """The address beats what the person is used to."""
    asked = request.GET.get("size", "")
    return int(asked) if asked in map(str, preferences.PAGE_SIZES) else wanted.page_size


def _shows_the_newest(request: MemberRequest, filters: TransactionFilter, order: str) -> bool:
    """Whether new payments would appear at the top of this page."""
    first = not request.GET.get("cursor")
    return first and filters.is_valid() and (order == paging.DEFAULT_ORDER or order not in paging.ORDERS)


def _why_empty(
    request: MemberRequest,
    filters: TransactionFilter,
    page: paging.Page,
    chips: list[Any],
    state: SyncState | None,
) -> str:
    if page.rows:
        return ""
    if not filters.is_valid():
        return "invalid"
    if chips or (request.GET.get("cursor") and mine(request).exists()):
        return "no_match"
    return "cannot_reach" if state and state.is_failing else "none_yet"
