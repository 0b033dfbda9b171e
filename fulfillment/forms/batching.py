"""What staff fills in to act on many orders at once."""

from django import forms

from fulfillment.forms.confirming import ConfirmedForm
from fulfillment.forms.refunding import REASONS


class BatchForm(ConfirmedForm):
    """The word and the number that confirm a batch, and a note."""

    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only. It stands at every one of these orders.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RefundBatchForm(BatchForm):
    """The same with the reason for the refunds."""

    reason = forms.ChoiceField(choices=[(reason, reason) for reason in REASONS])
    field_order = ("reason", "note", "typed")
