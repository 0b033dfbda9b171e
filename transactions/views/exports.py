"""The exports: asked for, followed and fetched."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.storage import storages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring
from transactions import exporting, exports, selection
from transactions.filters import TransactionFilter
from transactions.models import Export
from transactions.tasks import make_export
from transactions.views.common import without


@requires(Right.EXPORT)
def export_list(request: MemberRequest) -> HttpResponseBase:
    """The merchant's exports; a POST asks for a new one of the list with the posted query."""
    if request.method == "POST":
        return _request_export(request)
    mine = Export.objects.filter(merchant=request.membership.merchant).select_related("requested_by")
    return render(request, "transactions/exports.html", {"exports": mine[:100]})


@requires(Right.EXPORT)
def export_selection(request: MemberRequest) -> HttpResponse:
    """Ask for a file of the selected rows of the list, in the list's order."""
    if request.method != "POST":
        return redirect("transactions:list")
    query, wanted = (
        without(QueryDict(request.POST.get("query", "")), "cursor"),
        request.POST.get("format", ""),
    )
    try:
        selected = selection.selected(request.membership, request.POST)
    except selection.BadSelection as error:
        messages.error(request, str(error))
    else:
        if wanted in Export.Format.values:
            return _ask_for(request, wanted, query, selected)
        messages.error(request, "Choose a format for the file.")
    return redirect(f"{reverse('transactions:list')}?{query.urlencode()}")


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
    """The finished file; one with personal data only for those who may see these."""
    export = get_or_404(Export.objects.all(), request.membership, pk=export_id, state=Export.State.READY)
    if export.personal and not may(request.membership, Right.PERSONAL):
        raise PermissionDenied("This file says who the customers are. Export the list yourself without that.")
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
    filters = TransactionFilter.of(request.membership, QueryDict(query))
    if wanted not in Export.Format.values or not filters.is_valid():
        messages.error(request, "This list cannot be exported: correct its filters first.")
        return redirect("transactions:exports")
    return _ask_for(request, wanted, without(QueryDict(query), "cursor"), [])


def _ask_for(request: MemberRequest, wanted: str, query: QueryDict, selected: Sequence[UUID]) -> HttpResponse:
    export = Export.objects.create(
        merchant=request.membership.merchant,
        requested_by=request.membership.user,
        format=wanted,
        query=query.urlencode(),
        selection=selected,
        personal=may(request.membership, Right.PERSONAL),
    )
    said = {"query": export.query} | ({"selected": len(selected)} if selected else {})
    audit.record(export.merchant, export.requested_by, "export.requested", export.pk, **said)
    ring(make_export, str(export.pk))
    return redirect("transactions:export", export.pk)
