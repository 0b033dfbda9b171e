"""The Transactions page."""

import secrets
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, may, requires
from transactions import paging, selection, tables
from transactions.filters import TransactionFilter
from transactions.models import Export
from transactions.views.common import figures, mine, sync_state, without

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50


@require_safe
@requires(Right.VIEW)
def transaction_list(request: MemberRequest) -> HttpResponse:
    """The Transactions page. htmx gets only the part that filters change."""
    merchant = request.membership.merchant
    filters = TransactionFilter(merchant, request.GET)
    found = filters.found
    order = request.GET.get("sort", paging.DEFAULT_ORDER)
    page = paging.page(found, order, request.GET.get("cursor", ""), _page_size(request), tables.ROW_VALUES)
    chips, state = list(filters.chips()), sync_state(request)
    context: dict[str, Any] = {
        "filter": filters,
        "chips": chips,
        "page": page,
        "table": tables.table(page.rows, order),
        **figures(request, filters, state),
        "sync_state": state,
        "trouble": line.trouble(request.membership.merchant),
        "query": without(request.GET, "cursor").urlencode(),
        "formats": Export.Format,
        "selectable": may(request.membership, Right.EXPORT),
        "select_at_most": selection.LIMIT,
        "form_key": secrets.token_hex(8),
        "empty": _why_empty(request, filters, page, chips),
    }
    template = "transactions/_list.html" if request.htmx else "transactions/list.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _page_size(request: MemberRequest) -> int:
    asked = request.GET.get("size", "")
    return int(asked) if asked in map(str, PAGE_SIZES) else DEFAULT_PAGE_SIZE


def _why_empty(
    request: MemberRequest, filters: TransactionFilter, page: paging.Page, chips: list[Any]
) -> str:
    if page.rows:
        return ""
    if not filters.is_valid():
        return "invalid"
    return "no_match" if chips or mine(request).exists() else "none_yet"
