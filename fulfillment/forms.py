"""What staff fills in."""

from typing import Any

from django import forms

from transactions.models import Transaction

# PaySuper's own list (contract §7.1).
REASONS = ("Customer's request", "Redeem chargeback", "Purchase not provided", "Card data was stolen")


class RefundForm(forms.Form):
    """The reason for a refund; posts back the amount that was seen."""

    reason = forms.ChoiceField(choices=[(reason, reason) for reason in REASONS])
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen_amount = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput)
    seen_currency = forms.CharField(max_length=10, widget=forms.HiddenInput)

    @classmethod
    def of(cls, entry: Transaction) -> "RefundForm":
        """The empty form for a transaction as it is now."""
        seen: dict[str, Any] = {"seen_amount": entry.charge_amount, "seen_currency": entry.charge_currency}
        return cls(initial=seen)


class FulfilForm(forms.Form):
    """A note on how the goods were handed over."""

    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class UnfulfilForm(forms.Form):
    """Why a fulfilment is taken back."""

    note = forms.CharField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


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
