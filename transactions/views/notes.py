"""Internal notes on the card."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from merchant.access import MemberRequest, Right, get_or_404, requires
from transactions import notes
from transactions.models import Note
from transactions.views.card import card_entry, show_card
from transactions.views.origin import back_to_card


@require_POST
@requires(Right.NOTES)
def add_note(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Keep a note; the card comes back with what is wrong with it (400)."""
    entry, form = card_entry(request, uuid), notes.NoteForm(request.POST)
    if not form.is_valid():
        return show_card(request, entry, form, status=400)
    notes.add(entry, request.membership, form.cleaned_data["text"])
    messages.success(request, "The note is kept.")
    return back_to_card(request, uuid, "#timeline")


@require_POST
@requires(Right.NOTES)
def delete_note(request: MemberRequest, uuid: UUID, note_id: int) -> HttpResponse:
    """Take one's own note away; another person's does not exist here (404)."""
    own = Note.objects.filter(transaction=uuid, written_by=request.membership.user)
    notes.delete(
        get_or_404(own.select_related("merchant"), request.membership, pk=note_id), request.membership
    )
    messages.success(request, "The note is deleted.")
    return back_to_card(request, uuid, "#timeline")
