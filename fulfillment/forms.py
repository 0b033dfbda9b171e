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
