"""The receipt of a transaction."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from merchant import audit
from merchant.access import MemberRequest, Right, may, requires
from transactions import receipt
from transactions.views.card import card_entry
from transactions.views.common import mine


@require_safe
@requires(Right.VIEW)
def transaction_receipt(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """The receipt as a PDF. Whoever sees the card may have it: it says less than the card."""
    entry = card_entry(request, uuid)
    refunds = list(mine(request).filter(parent_uuid=entry.pk).order_by("created_at"))
    personal = may(request.membership, Right.PERSONAL)
    try:
        content = receipt.draw(receipt.Receipt(entry, refunds, personal))
    except receipt.NotDrawn as error:
        messages.error(request, str(error))
        return redirect("transactions:card", entry.pk)
    audit.record(entry.merchant, request.membership.user, "receipt.downloaded", entry.pk)
    name = f'attachment; filename="receipt-{entry.pk}.pdf"'
    return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})
