"""What payment somebody wants to try."""

from decimal import Decimal
from typing import Any

from django import forms

from fulfillment.checkout import CARDS, CURRENCIES
from fulfillment.models import TestPayment
from merchant.models import Merchant, Project

_MOST = 1_000_000


class TestPaymentForm(forms.Form):
    """A project, what is bought, for how much, and with which card."""

    __test__ = False

    project: "forms.ModelChoiceField[Project]" = forms.ModelChoiceField(
        queryset=None, to_field_name="paysuper_id", empty_label=None
    )
    kind = forms.ChoiceField(label="What is bought", choices=TestPayment.Kind.choices)
    card = forms.ChoiceField(
        label="Paid with",
        required=False,
        initial=next(iter(CARDS)),
        choices=[
            *((card.number, f"{card.grouped} – {card.title}") for card in CARDS.values()),
            ("", "I pay at the checkout myself"),
        ],
    )
    amount = forms.DecimalField(min_value=Decimal("0.001"), max_value=_MOST, max_digits=12, initial="12.50")
    currency = forms.ChoiceField(choices=[(code, code) for code in CURRENCIES])

    def __init__(self, merchant: Merchant, data: Any = None) -> None:
        super().__init__(data)
        self.fields["project"].queryset = merchant.projects.all()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """An amount has no more decimals than its currency."""
        values: dict[str, Any] = super().clean() or {}
        amount, currency = values.get("amount"), values.get("currency")
        if amount is not None and currency and amount != round(amount, CURRENCIES[currency]):
            self.add_error("amount", _decimals(currency))
        return values


def _decimals(currency: str) -> str:
    count = CURRENCIES[currency]
    return f"{currency} has {count or 'no'} decimals."
