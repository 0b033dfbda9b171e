"""Batches: the preview, the confirmation, how far it is, and what has become of each row."""

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from fulfillment import batches
from fulfillment.forms import BatchForm, RefundBatchForm
from fulfillment.models import Batch
from fulfillment.tasks import run_batch
from merchant import audit
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from merchant.celery import ring
from merchant.reauthentication import ask_password, filled_in, is_recent
from transactions import exports

_RIGHTS: dict[str, Right] = {Batch.Kind.FULFIL: Right.FULFIL, Batch.Kind.REFUND: Right.REFUND}


@require_safe
@requires(Right.VIEW)
def batch_list(request: MemberRequest) -> HttpResponse:
    """The newest batches that were confirmed."""
    begun = Batch.objects.filter(merchant=request.membership.merchant).exclude(state=Batch.State.PREVIEWED)
    newest = begun.select_related("requested_by").annotate(rows=Count("items"))
    return render(request, "fulfillment/batches.html", {"batches": newest[:100]})


@require_safe
@requires(Right.VIEW)
def batch(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """The preview, or how far it is. htmx gets only the part that changes."""
    found = _found(request, batch_id)
    return _page(request, found, _form(found, filled_in(request) or None))


@require_POST
@requires(Right.VIEW)
def confirm_batch(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """Begin, once it has been typed what is begun."""
    found = _found(request, batch_id)
    right = _RIGHTS[found.kind]
    if not may(request.membership, right):
        raise PermissionDenied(f"Your role does not allow you to {right.label}.")
    if found.state == Batch.State.PREVIEWED:
        form = _form(found, request.POST)
        if form is None or request.membership.user != found.requested_by:
            messages.error(request, "Only who has selected these rows can confirm, if there are any to do.")
        elif not form.is_valid():
            return _page(request, found, form)
        elif found.kind == Batch.Kind.REFUND and not is_recent(request):
            return ask_password(request, back=reverse("fulfillment:batch", args=[found.pk]))
        else:
            values = {name: form.cleaned_data.get(name, "") for name in ("reason", "note")}
            if batches.confirm(found, request.membership, **values):
                ring(run_batch, str(found.pk))
    return redirect("fulfillment:batch", found.pk)


@require_safe
@requires(Right.EXPORT)
def download_batch(request: MemberRequest, batch_id: UUID) -> HttpResponse:
    """A result for each row, as it stands now, as CSV."""
    found = _found(request, batch_id)
    with TemporaryDirectory(prefix="batch-") as folder:
        path = Path(folder) / "results.csv"
        batches.write_results(found, path, masked=not may(request.membership, Right.PERSONAL))
        content = path.read_bytes()
    audit.record(found.merchant, request.membership.user, "batch.downloaded", found.pk)
    name = f"{found.kind}-results-{found.created_at:%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=exports.CONTENT_TYPES["csv"], headers=headers)


def _found(request: MemberRequest, batch_id: UUID) -> Batch:
    queryset = Batch.objects.select_related("merchant", "requested_by")
    return get_or_404(queryset, request.membership, pk=batch_id)


def _form(found: Batch, data: QueryDict | None) -> BatchForm | None:
    """The form that confirms a preview; None when there is nothing to confirm."""
    count = sum(number for _, number, _ in batches.sums(found))
    if not count:
        return None
    phrase = f"{found.kind} {count}".upper()
    kind = RefundBatchForm if found.kind == Batch.Kind.REFUND else BatchForm
    return kind(phrase, data)


def _page(request: MemberRequest, found: Batch, form: BatchForm | None) -> HttpResponse:
    items = found.items.select_related("transaction__project", "action")
    previewed = found.state == Batch.State.PREVIEWED
    context = {
        "batch": found,
        "items": items,
        "sums": batches.sums(found),
        "progress": batches.progress_of(found),
        "form": form,
        "is_mine": found.requested_by == request.membership.user,
        "may_confirm": may(request.membership, _RIGHTS[found.kind]),
    }
    name = "batch_preview" if previewed else "_batch" if request.htmx else "batch"  # type: ignore[attr-defined]
    response = render(request, f"fulfillment/{name}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
