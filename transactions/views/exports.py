"""The exports: asked for, followed, stopped, and fetched."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring
from merchant.models import RetentionRules
from transactions import exporting, exports, recipes, selection
from transactions.exporting import asking, proving
from transactions.exports.columns import chosen, titled
from transactions.filters import TransactionFilter
from transactions.models import Export
from transactions.tasks import make_export
from transactions.views.common import without

log = structlog.get_logger()


@requires(Right.EXPORT)
def export_list(request: MemberRequest) -> HttpResponseBase:
    """The merchant's exports, with `code` those of a control code; a POST asks for one of a list's query."""
    if request.method == "POST":
        return _request_export(request)
    code = request.GET.get("code", "").strip()
    if code:
        found = proving.by_code(request.membership, code)
    else:
        found = Export.objects.filter(merchant=request.membership.merchant)
    kept = RetentionRules.of(request.membership.merchant_id).export_days
    context = {
        "exports": found.select_related("requested_by", "merchant")[:100],
        "code": code,
        "kept_days": kept,
    }
    return render(request, "transactions/exports.html", context)


@requires(Right.EXPORT)
def export_selection(request: MemberRequest) -> HttpResponse:
    """Ask for a file of the selected rows of the list, in the list's order."""
    if request.method != "POST":
        return redirect("transactions:list")
    query = without(QueryDict(request.POST.get("query", "")), "cursor")
    try:
        selected = selection.selected(request.membership, request.POST)
        wanted, layout = recipes.chosen(request.membership, request.POST)
    except (selection.BadSelection, recipes.NotChosen) as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('transactions:list')}?{query.urlencode()}")
    return _ask_for(request, wanted, query, selected, layout)


@require_safe
@requires(Right.EXPORT)
def export_detail(request: MemberRequest, export_id: UUID) -> HttpResponse:
    """How far an export has got, and what its file says. htmx gets only the part that changes."""
    export = _export(request, export_id)
    template = "transactions/_export.html" if request.htmx else "transactions/export.html"  # type: ignore[attr-defined]
    response = render(request, template, _told(export))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@requires(Right.EXPORT)
def export_download(request: MemberRequest, export_id: UUID) -> HttpResponseBase:
    """The finished file; one with personal data only for those who may see these."""
    export = get_or_404(Export.objects.all(), request.membership, pk=export_id, state=Export.State.READY)
    _must_be_allowed(request, export)
    try:
        file = storages["exports"].open(export.file_name)
    except FileNotFoundError as error:
        raise Http404("The file is no longer kept.") from error
    except OSError:
        log.exception("export_storage_failed", export=str(export.pk))
        messages.error(request, "The file cannot be fetched just now. Try again in a moment.")
        return redirect("transactions:export", export.pk)
    audit.record(export.merchant, request.membership.user, "export.downloaded", export.pk)
    response = FileResponse(
        file,
        as_attachment=True,
        filename=export.download_name,
        content_type=exports.CONTENT_TYPES[export.format],
    )
    if export.size is not None:
        response.headers["Content-Length"] = str(export.size)
    return response


@require_POST
@requires(Right.EXPORT)
def cancel_export(request: MemberRequest, export_id: UUID) -> HttpResponse:
    """Stop making a file."""
    export = _export(request, export_id)
    if asking.cancel(export, request.membership):
        messages.success(request, "The export is canceled.")
    else:
        messages.info(request, "There is nothing to cancel any more.")
    return redirect("transactions:export", export.pk)


@require_POST
@requires(Right.EXPORT)
def export_again(request: MemberRequest, export_id: UUID) -> HttpResponse:
    """Try again, or make a file again that is no longer kept."""
    export = _export(request, export_id)
    _must_be_allowed(request, export)
    if asking.again(export, request.membership):
        ring(make_export, str(export.pk))
    else:
        messages.info(request, "This export has its file, or is being made already.")
    return redirect("transactions:export", export.pk)


def _export(request: MemberRequest, export_id: UUID) -> Export:
    found = Export.objects.select_related("merchant", "requested_by", "run__schedule")
    return get_or_404(found, request.membership, pk=export_id)


def _must_be_allowed(request: MemberRequest, export: Export) -> None:
    if export.personal and not may(request.membership, Right.PERSONAL):
        raise PermissionDenied("This file says who the customers are. Export the list yourself without that.")


@require_safe
@requires(Right.EXPORT)
def export_notes(request: MemberRequest, export_id: UUID) -> HttpResponse:
    """What the page of an export says of its file, as a text to keep beside a CSV, which holds rows alone."""
    export = _export(request, export_id)
    if not export.is_told:
        raise Http404("There is no file yet.")
    text = render_to_string("transactions/exports/notes.txt", {**_told(export), "export": export})
    name = f"{export.download_name}.txt"
    return HttpResponse(
        text,
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _told(export: Export) -> dict[str, Any]:
    keys = asking.layout_of(export).columns
    return {
        "export": export,
        "progress": exporting.progress_of(export),
        "seconds_left": exporting.seconds_left(export) if export.is_under_way else None,
        "sums": [
            exports.Sum(currency, status, count, Decimal(amount))
            for currency, status, count, amount in export.sums
        ],
        "other_formats": _others(export),
        "columns": [each.title for each in chosen(titled(export.merchant.time_zone), keys)] if keys else [],
    }


def _others(export: Export) -> list[Export.Format]:
    """The formats for a list that is too long for this one."""
    ways = [Export.Format.CSV, Export.Format.XLSX]
    return [*ways, Export.Format.MONTHS] if export.format == Export.Format.PDF else ways


def _request_export(request: MemberRequest) -> HttpResponse:
    query = request.POST.get("query", "")
    if not TransactionFilter.of(request.membership, QueryDict(query)).is_valid():
        messages.error(request, "This list cannot be exported: correct its filters first.")
        return redirect("transactions:exports")
    try:
        wanted, layout = recipes.chosen(request.membership, request.POST)
    except recipes.NotChosen as error:
        messages.error(request, f"This list cannot be exported yet. {error}")
        return redirect("transactions:exports")
    return _ask_for(request, wanted, without(QueryDict(query), "cursor"), [], layout)


def _ask_for(
    request: MemberRequest, wanted: str, query: QueryDict, selected: Sequence[UUID], layout: exports.Layout
) -> HttpResponse:
    export = asking.ask(request.membership, wanted, query.urlencode(), selected, layout)
    ring(make_export, str(export.pk))
    return redirect("transactions:export", export.pk)
