"""What the filters of webhooks and of mails share: the project, and days of the merchant's zone."""

import datetime as dt
from typing import Any, TypeVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from merchant.models import Merchant, Project
from transactions import periods

Row = TypeVar("Row", bound=Model)


class LogFilter(forms.Form):
    """Filters of a list, by the names that stand in its address."""

    project: "forms.ModelChoiceField[Project]" = forms.ModelChoiceField(
        queryset=None, required=False, to_field_name="paysuper_id", empty_label="All projects"
    )
    period = forms.ChoiceField(required=False, choices=[("", "Any time"), *periods.PRESETS.items()])
    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, merchant: Merchant, data: Any) -> None:
        super().__init__(data)
        self.merchant = merchant
        self.fields["project"].queryset = merchant.projects.all()  # type: ignore[attr-defined]

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

    def within(self, rows: QuerySet[Row], column: str) -> QuerySet[Row]:
        """The rows whose moment in this column lies in the days that are asked for."""
        start, end = self._days().bounds(self.merchant.zone)
        condition = Q(**{f"{column}__gte": start}) if start else Q()
        return rows.filter(condition & (Q(**{f"{column}__lt": end}) if end else Q()))

    def _days(self) -> periods.Days:
        """Dates overrule a period."""
        values = self.cleaned_data
        if values["first"] or values["last"]:
            return periods.Days(values["first"], values["last"])
        today: dt.date = timezone.now().astimezone(self.merchant.zone).date()
        return periods.preset(values["period"], today) if values["period"] else periods.Days(None, None)
