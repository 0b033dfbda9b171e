"""The filters of the list, by the names that stand in its address. Exports use the same class."""

from collections.abc import Iterator
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from merchant.models import Merchant
from transactions import periods, search
from transactions.filters import choices
from transactions.filters.chips import Chip
from transactions.filters.form import FilterForm
from transactions.models import DailyTotal, Fulfilment, RowType, Status, Transaction

_AMOUNT: dict[str, Any] = {"max_digits": 19, "decimal_places": 4, "field_name": "charge_amount"}
# The filters that the daily totals can answer too.
_DAILY = frozenset({"status", "project", "currency", "type", "period", "from", "to"})


class TransactionFilter(django_filters.FilterSet):
    """A merchant's transactions by the parameters of the list's address.

    Days are days of the merchant's zone, both ends included, and beat a period; amounts are charges in
    major units. A value that makes no sense is an error of `form` and finds nothing.
    """

    q = django_filters.CharFilter(
        label="Search",
        method="by_text",
        max_length=200,
        help_text="Order or transaction ID, e-mail or part of it, customer ID, last four digits, receipt.",
    )
    period = django_filters.ChoiceFilter(
        label="Period", method="by_period", choices=list(periods.PRESETS.items()), empty_label="Any time"
    )
    status = django_filters.MultipleChoiceFilter(label="Status", choices=Status.choices, distinct=False)
    project = django_filters.ChoiceFilter(
        label="Project",
        method="by_project",
        choices=[],
        empty_label="All projects",
        error_messages={"invalid_choice": "There is no such project."},
    )
    product = django_filters.CharFilter(label="Product", method="by_product", max_length=200)
    method = django_filters.ChoiceFilter(label="Method", choices=[], empty_label="All methods")
    country = django_filters.ChoiceFilter(label="Country", choices=[], empty_label="All countries")
    currency = django_filters.MultipleChoiceFilter(
        label="Currency", field_name="charge_currency", choices=[], distinct=False
    )
    amount_min = django_filters.NumberFilter(label="Amount from", lookup_expr="gte", **_AMOUNT)
    amount_max = django_filters.NumberFilter(label="Amount to", lookup_expr="lte", **_AMOUNT)
    fulfilment = django_filters.ChoiceFilter(
        label="Fulfilment", method="by_fulfilment", choices=Fulfilment.choices, empty_label="Any"
    )
    type = django_filters.ChoiceFilter(
        label="Type", choices=RowType.choices, empty_label="Orders and refunds"
    )

    class Meta:
        model = Transaction
        fields: ClassVar[list[str]] = []
        form = FilterForm

    def __init__(self, merchant: Merchant, data: QueryDict) -> None:
        data = data.copy()
        for name in ("status", "currency"):
            data.setlist(name, filter(None, data.getlist(name)))  # blank means not set, as for the others
        super().__init__(data, Transaction.objects.filter(merchant=merchant))
        self.merchant = merchant
        self.choices = choices.of(merchant)
        for name, offered in self.choices.by_filter.items():
            self.filters[name].extra["choices"] = offered

    @classmethod
    def get_filters(cls) -> dict[str, django_filters.Filter]:
        """The declared filters and the two whose names Python keeps for itself."""
        filters: dict[str, django_filters.Filter] = super().get_filters()
        for name, label in {"from": "From", "to": "To"}.items():
            filters[name] = django_filters.DateFilter(
                label=label,
                field_name=name,
                method="by_day",
                input_formats=["%Y-%m-%d"],
                widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            )
        return filters

    @property
    def found(self) -> QuerySet[Transaction]:
        """What the filters find, in no order; nothing when one of them makes no sense."""
        return self.qs if self.is_valid() else Transaction.objects.none()

    @property
    def daily(self) -> QuerySet[DailyTotal] | None:
        """The daily totals of what is found, or None when the filters ask for more than those know."""
        if not self.is_valid() or any(
            self._set_values(name) for name in self.form.fields if name not in _DAILY
        ):
            return None
        values = self.form.cleaned_data
        wanted = {"status__in": values["status"], "currency__in": values["currency"], "type": values["type"]}
        wanted |= {"day__gte": self.days.first, "day__lte": self.days.last}
        wanted["project"] = self.choices.projects.get(values["project"])
        asked = {name: value for name, value in wanted.items() if value}
        return DailyTotal.objects.filter(merchant=self.merchant, **asked)

    @property
    def days(self) -> periods.Days:
        """The days that are asked for, whether by dates or by a period."""
        values = self.form.cleaned_data
        if values.get("from") or values.get("to"):
            return periods.Days(values.get("from"), values.get("to"))
        today = timezone.now().astimezone(self.merchant.zone).date()
        return periods.preset(values["period"], today) if values.get("period") else periods.Days(None, None)

    def chips(self) -> Iterator[Chip]:
        """What is set, one chip for each value, in the order of the form."""
        for name in self.form.fields:
            for value in self._set_values(name):
                query = self.data.copy()
                query.setlist(name, [each for each in self._set_values(name) if each != value])
                query.pop("cursor", None)
                yield Chip(str(self.form.fields[name].label), self._in_words(name, value), query.urlencode())

    def in_words(self) -> str:
        """The filter as a sentence for people who get an export, without its address."""
        return " · ".join(f"{chip.label}: {chip.text}" for chip in self.chips()) or "All transactions"

    def by_text(self, queryset: QuerySet[Transaction], _: str, text: str) -> QuerySet[Transaction]:
        """Search."""
        return queryset.filter(search.condition(text))

    def by_period(self, queryset: QuerySet[Transaction], *_: object) -> QuerySet[Transaction]:
        """A preset, unless dates are given too."""
        dated = self.form.cleaned_data.get("from") or self.form.cleaned_data.get("to")
        return queryset if dated else self._within(queryset)

    def by_day(self, queryset: QuerySet[Transaction], *_: object) -> QuerySet[Transaction]:
        """The first or the last day."""
        return self._within(queryset)

    def by_project(self, queryset: QuerySet[Transaction], _: str, paysuper_id: str) -> QuerySet[Transaction]:
        """A project, by PaySuper's id."""
        return queryset.filter(project=self.choices.projects[paysuper_id])

    def by_product(self, queryset: QuerySet[Transaction], _: str, text: str) -> QuerySet[Transaction]:
        """Part of a product's name, or its whole sku."""
        bought = Q(items__sku=text) | Q(items__name__icontains=text)
        return queryset.filter(
            Q(product__icontains=text) | Q(pk__in=Transaction.objects.filter(bought, merchant=self.merchant))
        )

    def by_fulfilment(self, queryset: QuerySet[Transaction], _: str, state: str) -> QuerySet[Transaction]:
        """Only what has been paid can wait for its goods."""
        found = queryset.filter(fulfilment=state)
        if state == Fulfilment.UNFULFILLED:
            found = found.filter(type=RowType.ORDER, status=Status.PROCESSED)
        return found

    def _within(self, queryset: QuerySet[Transaction]) -> QuerySet[Transaction]:
        start, end = self.days.bounds(self.merchant.zone)
        if start:
            queryset = queryset.filter(created_at__gte=start)
        return queryset.filter(created_at__lt=end) if end else queryset

    def _set_values(self, name: str) -> list[str]:
        if name == "period" and (self._set_values("from") or self._set_values("to")):
            return []  # overruled: not to be claimed by a chip or in an export
        several = isinstance(self.filters[name], django_filters.MultipleChoiceFilter)
        values = self.data.getlist(name) if several else self.data.getlist(name)[-1:]
        return [value for value in values if value.strip()]

    def _in_words(self, name: str, value: str) -> str:
        choices = getattr(self.form.fields[name], "choices", [])
        return next((str(text) for key, text in choices if str(key) == value), value)
