"""Filters of a list of what happened, by days."""

from typing import Any

from django import forms

from merchant.models import Merchant


class DaysFilter(forms.Form):
    """The first and the last day, in the merchant's zone, by the names that stand in an address."""

    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, merchant: Merchant, data: Any) -> None:
        super().__init__(data)
        self.merchant = merchant

    def clean(self) -> dict[str, Any]:
        """The last day does not lie before the first."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("first") and values.get("last") and values["first"] > values["last"]:
            self.add_error("last", "The last day lies before the first.")
        return values

    @property
    def is_set(self) -> bool:
        """Whether anything is asked for."""
        return any(self.data.get(name) for name in self.fields)
