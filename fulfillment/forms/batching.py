"""What staff fills in to act on many orders at once."""

from typing import Any

from django import forms

from fulfillment.forms.refunding import REASONS


class BatchForm(forms.Form):
    """The word and the number that confirm a batch, and a note."""

    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only. It stands at every one of these orders.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    typed = forms.CharField(
        max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, phrase: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.phrase = phrase
        self.fields["typed"].label = f"Type {phrase} to confirm"

    def clean_typed(self) -> str:
        """Case and spaces are no matter of meaning; the number is."""
        typed = "".join(self.cleaned_data["typed"].split()).upper()
        if typed != "".join(self.phrase.split()):
            raise forms.ValidationError(f"Type {self.phrase} exactly. Nothing was changed.")
        return typed


class RefundBatchForm(BatchForm):
    """The same with the reason for the refunds."""

    reason = forms.ChoiceField(choices=[(reason, reason) for reason in REASONS])
    field_order = ("reason", "note", "typed")
