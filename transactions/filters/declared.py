"""Which filters there are: their names in the address, what they offer and what stands beside them."""

from typing import Any, ClassVar

import django_filters
from django import forms

from transactions import periods, search
from transactions.models import Fulfilment, RowType, Status, Transaction

_AMOUNT: dict[str, Any] = {"max_digits": 19, "decimal_places": 4, "field_name": "charge_amount"}
# Rows of other states than what is asked for have not been fulfilled either: the first asks for what waits.
_FULFILMENT = [
    (value, "To fulfil" if value == Fulfilment.UNFULFILLED else title) for value, title in Fulfilment.choices
]
SEARCHED = "Transaction ID, receipt, e-mail or a part of it, customer ID, 4242 of a card, 12.50 EUR"
SEARCHED_WITHOUT_EMAIL = "Transaction ID, receipt, customer ID, 4242 of a card, 12.50 EUR"


def _day(label: str) -> django_filters.DateFilter:
    return django_filters.DateFilter(
        label=label,
        method="by_day",
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class DeclaredFilters(django_filters.FilterSet):
    """The filters by their names in the address. What the methods do is for the heir to say."""

    q = django_filters.CharFilter(
        label="Search",
        method="by_text",
        max_length=search.LONGEST,
    )
    period = django_filters.ChoiceFilter(
        label="Period", method="by_period", choices=list(periods.PRESETS.items()), empty_label="Any time"
    )
    status = django_filters.MultipleChoiceFilter(label="Status", method="by_any", choices=Status.choices)
    project = django_filters.MultipleChoiceFilter(
        label="Project",
        method="by_project",
        choices=[],
        error_messages={"invalid_choice": "There is no such project."},
    )
    product = django_filters.CharFilter(
        label="Product", method="by_product", max_length=200, help_text="Part of its name or SKU"
    )
    method = django_filters.ChoiceFilter(label="Method", choices=[], empty_label="All methods")
    country = django_filters.ChoiceFilter(label="Country", choices=[], empty_label="All countries")
    currency = django_filters.MultipleChoiceFilter(
        label="Currency", field_name="charge_currency", method="by_any", choices=[]
    )
    amount_min = django_filters.NumberFilter(label="Amount from", lookup_expr="gte", **_AMOUNT)
    amount_max = django_filters.NumberFilter(label="Amount to", lookup_expr="lte", **_AMOUNT)
    fulfilment = django_filters.ChoiceFilter(
        label="Fulfilment", method="by_fulfilment", choices=_FULFILMENT, empty_label="Any"
    )
    type = django_filters.ChoiceFilter(label="Type", choices=RowType.choices, empty_label="All types")
    mode = django_filters.ChoiceFilter(
        label="Mode",
        method="by_mode",
        choices=[("live", "Live"), ("test", "Test")],
        empty_label="Live and test",
    )

    class Meta:
        model = Transaction
        fields: ClassVar[list[str]] = []

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        """The declared filters and, after the period, the two whose names Python keeps for itself."""
        declared: dict[str, django_filters.Filter] = super().get_filters()
        first = {name: declared[name] for name in ("q", "period")}
        return first | {"from": _day("From"), "to": _day("To")} | declared
