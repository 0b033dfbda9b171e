"""What staff fills in to have an activation key replaced."""

from typing import Any

from django import forms
from django.http import QueryDict

from fulfillment.forms.confirming import ConfirmedForm

PHRASE = "NO REFUND"


class ReplaceKeyForm(ConfirmedForm):
    """Which product's key, why, and the consequence typed out."""

    product = forms.ChoiceField(label="Key of")
    note = forms.CharField(
        label="Why",
        max_length=500,
        help_text="For your colleagues only. It stands in the timeline.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("product", "note", "typed")

    def __init__(self, choices: list[tuple[str, str]], data: QueryDict | None, wanted: str = "") -> None:
        super().__init__(PHRASE, data, initial={"product": wanted})
        product: Any = self.fields["product"]
        product.choices = choices
        product.error_messages["invalid_choice"] = "This product has no key to replace."
