"""Internal notes on transactions: written and taken away by staff, never sent to PaySuper."""

from django import forms
from django.db import transaction
from django.utils import timezone

from merchant import audit
from merchant.models import Membership
from transactions.models import Note, Transaction


class NoteForm(forms.Form):
    """The text of a note."""

    text = forms.CharField(
        label="Add a note for your colleagues",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": Note.LONGEST}),
        help_text="Seen by your team only; PaySuper and the customer do not get it.",
    )

    def clean_text(self) -> str:
        """Line ends count as one character, as in the browser."""
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        if len(text) > Note.LONGEST:
            raise forms.ValidationError(
                f"A note has at most {Note.LONGEST} characters; this has {len(text)}."
            )
        return text


@transaction.atomic
def add(entry: Transaction, membership: Membership, text: str) -> Note:
    """Keep a note of this colleague. Audited."""
    note = Note.objects.create(
        merchant=entry.merchant, transaction=entry, text=text, written_by=membership.user
    )
    audit.record(entry.merchant, membership.user, "note.added", entry.pk, note=note.pk)
    return note


@transaction.atomic
def delete(note: Note, membership: Membership) -> None:
    """Take a note away; twice is once. Its text stays in the database, out of sight. Audited."""
    if Note.objects.filter(pk=note.pk, deleted_at=None).update(deleted_at=timezone.now()):
        audit.record(note.merchant, membership.user, "note.deleted", note.transaction_id, note=note.pk)
