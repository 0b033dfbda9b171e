"""The form of the filters: what must fit together."""

from typing import Any

from django import forms


class FilterForm(forms.Form):
    """Says what is wrong with filters that contradict each other."""

    def clean(self) -> dict[str, Any]:
        """Ends must not lie before beginnings, and texts must be ones that the database can hold."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("from") and values.get("to") and values["from"] > values["to"]:
            self.add_error("to", "The last day lies before the first.")
        least, most = values.get("amount_min"), values.get("amount_max")
        if least is not None and most is not None and least > most:
            self.add_error("amount_max", "This is less than the smallest amount.")
        for name in ("q", "product"):
            if "\0" in (values.get(name) or ""):
                self.add_error(name, "This text cannot be searched for.")
        return values
