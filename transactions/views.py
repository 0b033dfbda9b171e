"""The overview, the list, the card and the exports: looking at what happened."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant import audit, line
from merchant.access import MemberRequest, Right, get_or_404, requires
from merchant.celery import ring
from transactions import card, exporting, exports, overview, paging, tables
from transactions.filters import TransactionFilter
from transactions.models import Export, SyncState, Transaction
from transactions.tasks import make_export

PAGE_SIZES = (25, 50, 100)
DEFAULT_PAGE_SIZE = 50


@require_safe
@requires(Right.VIEW)
def home(request: MemberRequest) -> HttpResponse:
    """The last thirty days in figures, and how fresh they are."""
    merchant = request.membership.merchant
    recent, state = TransactionFilter(merchant, QueryDict("period=last_30_days")), _sync_state(request)
    waiting = TransactionFilter(merchant, QueryDict("fulfilment=unfulfilled")).found
    context = {
        "totals": _figures(request, recent, state)["totals"],
        "waiting": overview.counted(waiting),
        "sync_state": state,
        "trouble": line.trouble(request.membership.merchant),
        "newest": paging.page(_mine(request), paging.DEFAULT_ORDER, "", 8, tables.ROW_VALUES).rows,
    }
    return render(request, "transactions/home.html", context)


@require_safe
@requires(Right.VIEW)
def transaction_list(request: MemberRequest) -> HttpResponse:
    """The Transactions page. htmx gets only the part that filters change."""
    merchant = request.membership.merchant
    filters = TransactionFilter(merchant, request.GET)
    found = filters.found
    order = request.GET.get("sort", paging.DEFAULT_ORDER)
    page = paging.page(found, order, request.GET.get("cursor", ""), _page_size(request), tables.ROW_VALUES)
    chips, state = list(filters.chips()), _sync_state(request)
    context: dict[str, Any] = {
        "filter": filters,
        "chips": chips,
        "page": page,
        "table": tables.table(page.rows, order),
        **_figures(request, filters, state),
        "sync_state": state,
        "trouble": line.trouble(request.membership.merchant),
        "query": _without(request.GET, "cursor").urlencode(),
        "formats": Export.Format,
        "empty": _why_empty(request, filters, page, chips),
    }
    template = "transactions/_list.html" if request.htmx else "transactions/list.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@requires(Right.VIEW)
def transaction_card(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Everything that is known of one transaction."""
    queryset = Transaction.objects.select_related("project", "raw_order", "merchant")
    entry = get_or_404(queryset, request.membership, pk=uuid)
    document = entry.raw_order.document
    relatives = Transaction.objects.filter(merchant=entry.merchant)
    context = {
        "transaction": entry,
        "sections": card.sections(entry, document),
        "items": entry.items.all(),
        "raw": card.readable(document),
        "parent": relatives.filter(pk=entry.parent_uuid).first() if entry.parent_uuid else None,
        "refunds": relatives.filter(parent_uuid=entry.pk).order_by("created_at"),
        "sync_state": _sync_state(request),
        "trouble": line.trouble(request.membership.merchant),
    }
    return render(request, "transactions/card.html", context)


@requires(Right.EXPORT)
def export_list(request: MemberRequest) -> HttpResponseBase:
    """The merchant's exports; a POST asks for a new one of the list with the posted query."""
    if request.method == "POST":
        return _request_export(request)
    mine = Export.objects.filter(merchant=request.membership.merchant).select_related("requested_by")
    return render(request, "transactions/exports.html", {"exports": mine[:100]})


@require_safe
@requires(Right.EXPORT)
def export_detail(request: MemberRequest, export_id: UUID) -> HttpResponse:
    """How far an export has got. htmx gets only the part that changes."""
    export = get_or_404(Export.objects.select_related("requested_by"), request.membership, pk=export_id)
    template = "transactions/_export.html" if request.htmx else "transactions/export.html"  # type: ignore[attr-defined]
    response = render(request, template, {"export": export, "progress": exporting.progress_of(export)})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@requires(Right.EXPORT)
def export_download(request: MemberRequest, export_id: UUID) -> HttpResponseBase:
    """The finished file."""
    export = get_or_404(Export.objects.all(), request.membership, pk=export_id, state=Export.State.READY)
    storage = storages["exports"]
    if not storage.exists(export.file_name):
        raise Http404("The file is no longer kept.")
    audit.record(export.merchant, request.membership.user, "export.downloaded", export.pk)
    return FileResponse(
        storage.open(export.file_name),
        as_attachment=True,
        filename=export.download_name,
        content_type=exports.CONTENT_TYPES[export.format],
    )


def _request_export(request: MemberRequest) -> HttpResponse:
    wanted, query = request.POST.get("format", ""), request.POST.get("query", "")
    filters = TransactionFilter(request.membership.merchant, QueryDict(query))
    if wanted not in Export.Format.values or not filters.is_valid():
        messages.error(request, "This list cannot be exported: correct its filters first.")
        return redirect("transactions:exports")
    export = Export.objects.create(
        merchant=request.membership.merchant,
        requested_by=request.membership.user,
        format=wanted,
        query=_without(QueryDict(query), "cursor").urlencode(),
    )
    audit.record(export.merchant, export.requested_by, "export.requested", export.pk, query=export.query)
    ring(make_export, str(export.pk))
    return redirect("transactions:export", export.pk)


def _mine(request: MemberRequest) -> QuerySet[Transaction]:
    return Transaction.objects.filter(merchant=request.membership.merchant)


def _sync_state(request: MemberRequest) -> SyncState | None:
    return SyncState.objects.filter(merchant=request.membership.merchant).first()


def _figures(request: MemberRequest, filters: TransactionFilter, state: SyncState | None) -> dict[str, Any]:
    """Count and totals of the list: from the daily totals where those can tell and are of today's days."""
    daily = filters.daily
    if daily is not None and state and state.totals_zone == request.membership.merchant.time_zone:
        totals = overview.totals_of_days(daily)
        return {"totals": totals, "count": sum(total.count for total in totals)}
    totals, count = overview.totals(filters.found), overview.counted(filters.found)
    return {"totals": totals, "count": count, "count_limit": overview.COUNT_LIMIT}


def _page_size(request: MemberRequest) -> int:
    asked = request.GET.get("size", "")
    return int(asked) if asked in map(str, PAGE_SIZES) else DEFAULT_PAGE_SIZE


def _without(query: QueryDict, name: str) -> QueryDict:
    rest = query.copy()
    rest.pop(name, None)
    return rest


def _why_empty(
    request: MemberRequest, filters: TransactionFilter, page: paging.Page, chips: list[Any]
) -> str:
    if page.rows:
        return ""
    if not filters.is_valid():
        return "invalid"
    return "no_match" if chips or _mine(request).exists() else "none_yet"
