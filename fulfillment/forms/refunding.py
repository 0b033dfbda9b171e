"""What staff fills in about refunds."""

from decimal import Decimal
from typing import Any, ClassVar

from babel.numbers import list_currencies
from django import forms
from django.http import QueryDict

from merchant.models import RefundRules
from merchant.money import display, rounded

# PaySuper's own list (contract §7.1).
REASONS = ("Customer's request", "Redeem chargeback", "Purchase not provided", "Card data was stolen")


class RefundForm(forms.Form):
    """The reason for a refund, and its amount where a part may go back.

    Posts back what could go back, as the person saw it.
    """

    amount = forms.DecimalField(max_digits=19, decimal_places=4, min_value=Decimal("0.0001"))
    reason = forms.ChoiceField(choices=[(reason, reason) for reason in REASONS])
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen_amount = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput)
    seen_currency = forms.CharField(max_length=10, widget=forms.HiddenInput)

    def __init__(
        self, data: QueryDict | None = None, *, left: Decimal, currency: str, honours_parts: bool
    ) -> None:
        super().__init__(
            data, initial={"amount": rounded(left, currency), "seen_amount": left, "seen_currency": currency}
        )
        if honours_parts:
            self.fields["amount"].help_text = f"Up to {display(left, currency)} can go back."
        else:
            del self.fields["amount"]

    def clean(self) -> dict[str, Any]:
        """No more than could go back when the person looked, in whole coins of the currency."""
        values = super().clean() or {}
        amount, most, currency = (values.get(name) for name in ("amount", "seen_amount", "seen_currency"))
        if amount and most and currency and (amount > most or amount != rounded(amount, currency)):
            self.add_error("amount", f"Up to {display(most, currency)} can go back, in whole coins.")
        return values

    @property
    def seen(self) -> tuple[Decimal, str]:
        """What could go back when the person looked; of a valid form."""
        return self.cleaned_data["seen_amount"], self.cleaned_data["seen_currency"]


class DecisionForm(forms.Form):
    """What the second person says about a refund; posts back the amount that was seen."""

    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Turn down")])
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues. Without it, a refund cannot be turned down.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen_amount = forms.DecimalField(max_digits=19, decimal_places=4, widget=forms.HiddenInput)
    seen_currency = forms.CharField(max_length=10, widget=forms.HiddenInput)


class RefundRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a merchant wants refunds to be handled."""

    class Meta:
        model = RefundRules
        fields = (
            "undo_seconds",
            "limit_currency",
            "limit_owner",
            "limit_developer",
            "limit_support",
            "allows_parts",
        )
        labels: ClassVar = {
            "undo_seconds": "Seconds in which a refund can be taken back",
            "limit_currency": "Currency of the limits",
            "limit_owner": "Owners up to",
            "limit_developer": "Developers up to",
            "limit_support": "Support up to",
            "allows_parts": "PaySuper honours the amount of a refund: allow parts",
        }
        help_texts: ClassVar = {
            "undo_seconds": f"0 to {RefundRules.LONGEST_UNDO}; with 0 a refund leaves at once.",
            "limit_currency": "Three letters, such as EUR.",
        }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.fields["undo_seconds"].widget.attrs["max"] = RefundRules.LONGEST_UNDO
        for name in self.limits:
            self.fields[name].required = False
            self.fields[name].widget.attrs["min"] = 0
            if self.initial[name] is not None:
                self.initial[name] = rounded(self.initial[name], self.instance.limit_currency)
        if self.instance.merchant.generation != "2019":
            del self.fields["allows_parts"]

    @property
    def limits(self) -> list[str]:
        """The names of the fields that hold a limit."""
        return [name for name in self.fields if name.startswith("limit_") and name != "limit_currency"]

    def clean_undo_seconds(self) -> int:
        """Within what the broker keeps apart from a lost bell."""
        seconds: int = self.cleaned_data["undo_seconds"]
        if seconds > RefundRules.LONGEST_UNDO:
            raise forms.ValidationError(f"At most {RefundRules.LONGEST_UNDO} seconds.")
        return seconds

    def clean_limit_currency(self) -> str:
        """A currency that exists: with another one every refund would wait for approval."""
        currency: str = self.cleaned_data["limit_currency"].upper()
        if currency and currency not in list_currencies():
            raise forms.ValidationError("There is no such currency.")
        return currency

    def clean(self) -> dict[str, Any]:
        """No negative limit, and none without its currency."""
        values = super().clean() or {}
        limits = {name: values[name] for name in self.limits if values.get(name) is not None}
        for name, limit in limits.items():
            if limit < 0:
                self.add_error(name, "A limit is not negative.")
        if limits and not values.get("limit_currency"):
            self.add_error("limit_currency", "Say which currency the limits are in.")
        return values
