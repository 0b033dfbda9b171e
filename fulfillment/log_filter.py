"""What the filters of webhooks and of mails share: the project, and days of the merchant's zone."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from merchant.days_filter import DaysFilter
from merchant.models import Merchant, Project
from transactions import periods

Row = TypeVar("Row", bound=Model)


class LogFilter(DaysFilter):
    """Filters of a list, by the names that stand in its address."""

    project: "forms.ModelChoiceField[Project]" = forms.ModelChoiceField(
        queryset=None, required=False, to_field_name="paysuper_id", empty_label="All projects"
    )
    period = forms.ChoiceField(required=False, choices=[("", "Any time"), *periods.PRESETS.items()])
    field_order: Iterable[str] = ("project", "period", "first", "last")

    def __init__(self, merchant: Merchant, data: Any) -> None:
        super().__init__(merchant, data)
        self.fields["project"].queryset = merchant.projects.all()  # type: ignore[attr-defined]

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
