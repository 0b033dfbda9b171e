"""The page of what waits for hands, and saying who is on it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from fulfillment import actions, queue
from fulfillment.forms import QueueForm
from fulfillment.views.asking import back_to_queue, transaction_of
from merchant.access import MemberRequest, Right, requires


@require_safe
@requires(Right.FULFIL)
def to_fulfil(request: MemberRequest) -> HttpResponse:
    """Paid orders without their goods, or goods whose money went back: oldest first."""
    merchant = request.membership.merchant
    form = QueueForm(merchant, request.GET)
    wanted, project, older = form.wanted, form.chosen_project, form.with_older
    cursor = request.GET.get("cursor", "")
    context = {
        "form": form,
        "wanted": wanted,
        "older": older,
        "page": queue.page(merchant, wanted, project, cursor, older=older) if form.is_valid() else None,
        "counts": {name: queue.counted(merchant, name, project, older=older) for name in queue.LISTS},
        "overdue": queue.overdue(merchant, project, older=older),
        "left_out": 0 if older or wanted == "withdraw" else queue.left_out(merchant, project),
        "back": "?" + request.GET.urlencode(),
    }
    return render(request, "fulfillment/queue.html", context)


@require_POST
@requires(Right.FULFIL)
def claim(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Say that one is on an order."""
    entry = transaction_of(request, uuid)
    try:
        taken = actions.claim(entry, request.membership)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    else:
        messages.success(request, f"You are on this order until {timezone.localtime(taken.until):%H:%M}.")
    return back_to_queue(request.POST.get("back", "")) or redirect("transactions:card", entry.pk)


@require_POST
@requires(Right.FULFIL)
def release(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Leave an order to others."""
    entry = transaction_of(request, uuid)
    try:
        actions.release(entry, request.membership)
    except actions.Blocked as blocked:
        messages.error(request, str(blocked))
    return back_to_queue(request.POST.get("back", "")) or redirect("transactions:card", entry.pk)
