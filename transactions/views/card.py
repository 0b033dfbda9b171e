"""The transaction card."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant import line
from merchant.access import MemberRequest, Right, get_or_404, may, requires
from transactions import card, personal
from transactions.models import Transaction
from transactions.notes import NoteForm
from transactions.views.common import mine, sync_state
from transactions.views.origin import origin


@require_safe
@requires(Right.VIEW)
def transaction_card(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Everything that is known of one transaction."""
    return show_card(request, card_entry(request, uuid), NoteForm())


def card_entry(request: MemberRequest, uuid: UUID) -> Transaction:
    """The transaction with its document and without secrets; 404 for another merchant's."""
    queryset = Transaction.objects.select_related("project", "raw_order")
    queryset = queryset.defer("project__secret_key", "project__previous_secret")
    entry = get_or_404(queryset, request.membership, pk=uuid)
    entry.merchant = request.membership.merchant
    return entry


def show_card(request: MemberRequest, entry: Transaction, form: NoteForm, status: int = 200) -> HttpResponse:
    """The card's page. Personal data is masked for roles that need not see it."""
    document = entry.raw_order.document
    if not may(request.membership, Right.PERSONAL):
        document = personal.masked(document)
    refunds = list(mine(request).filter(parent_uuid=entry.pk).order_by("created_at"))
    context = {
        "transaction": entry,
        "origin": origin(request, entry),
        "declined": card.declined(entry, document),
        "details": card.details(entry, document, refunds),
        "products": card.products(entry.items.all(), document),
        "accounting": card.accounting(entry, document, refunds),
        "sections": card.others(entry, document),
        "raw": card.readable(document) if may(request.membership, Right.RAW) else "",
        "parent": mine(request).filter(pk=entry.parent_uuid).first() if entry.parent_uuid else None,
        "refunds": refunds,
        "note_form": form,
        "sync_state": sync_state(request),
        "trouble": line.trouble(request.membership.merchant),
    }
    return render(request, "transactions/card.html", context, status=status)
