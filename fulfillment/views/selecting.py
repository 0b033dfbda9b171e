"""From the ticked rows of the list to the preview of what would become of them."""

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from fulfillment import batches
from fulfillment.models import Batch
from merchant.access import MemberRequest, Right, requires
from transactions import selection


@requires(Right.FULFIL)
def select_to_fulfil(request: MemberRequest) -> HttpResponse:
    """Preview fulfilling the selected orders."""
    return _preview(request, Batch.Kind.FULFIL)


@requires(Right.REFUND)
def select_to_refund(request: MemberRequest) -> HttpResponse:
    """Preview refunding the selected orders."""
    return _preview(request, Batch.Kind.REFUND)


def _preview(request: MemberRequest, kind: Batch.Kind) -> HttpResponse:
    """A GET comes from the sign-in page that stood in between: the selection is gone, the list is not."""
    if request.method != "POST":
        return redirect("transactions:list")
    query = QueryDict(request.POST.get("query", "")).urlencode()
    try:
        uuids = selection.selected(request.membership, request.POST)
    except selection.BadSelection as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('transactions:list')}?{query}")
    form_key = request.POST.get("key", "")
    batch = batches.prepare(request.membership, kind, uuids, form_key=form_key, query=query)
    return redirect("fulfillment:batch", batch.pk)
