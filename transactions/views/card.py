"""The transaction card."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, get_or_404, requires
from transactions import card
from transactions.models import Transaction
from transactions.views.common import sync_state


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
        "sync_state": sync_state(request),
        "trouble": line.trouble(request.membership.merchant),
    }
    return render(request, "transactions/card.html", context)
