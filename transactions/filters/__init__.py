"""The filters of the list, by the names that stand in its address. Exports use the same class."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from merchant.access import Right, may
from merchant.models import Membership, Merchant
from transactions import periods, search
from transactions.filters import choices, offered
from transactions.filters.chips import Chip, chips_of
from transactions.filters.declared import SEARCHED, SEARCHED_WITHOUT_EMAIL, DeclaredFilters
from transactions.filters.form import FilterForm
from transactions.models import TO_FULFIL, DailyTotal, Fulfilment, MonthlyTotal, Transaction

# The filters that the daily totals can answer too.
_DAILY = frozenset({"status", "project", "currency", "type", "period", "from", "to"})
# The others may be folded away, on a phone the days too.
_IN_SIGHT = frozenset({"q", "period"})


class TransactionFilter(DeclaredFilters):
    """A merchant's transactions by the parameters of the list's address.

    Days are days of the merchant's zone, both ends included, and beat a period; amounts are charges in
    major units. A value that makes no sense is an error of `form` and finds nothing. A search text that is
    a whole id sets all other filters aside. Without `personal` nothing is found by customers' addresses.
    A period is seen from `now`, an instant. `known` are the choices, where somebody has read them already.
    """

    def __init__(
        self,
        merchant: Merchant,
        data: QueryDict,
        *,
        personal: bool = True,
        now: datetime | None = None,
        known: choices.Choices | None = None,
    ) -> None:
        data = data.copy()
        for name in ("status", "project", "currency"):
            data.setlist(name, filter(None, data.getlist(name)))  # blank means not set, as for the others
        if any(map(str.strip, data.getlist("from") + data.getlist("to"))):
            data.pop("period", None)  # overruled: not to be claimed by a chip or in an export
        super().__init__(data, Transaction.objects.filter(merchant=merchant))
        self.merchant, self.personal, self.now = merchant, personal, now or timezone.now()
        self.filters["q"].extra["help_text"] = SEARCHED if personal else SEARCHED_WITHOUT_EMAIL
        self.choices = offered.with_new_projects(
            known or choices.of(merchant), merchant, data.getlist("project")
        )
        for name in self.choices.by_filter:
            self.filters[name].extra["choices"] = offered.values(name, self.choices, self.values_of(name))

    @classmethod
    def of(
        cls, membership: Membership, data: QueryDict, known: choices.Choices | None = None
    ) -> "TransactionFilter":
        """The filters as this member may use them."""
        return cls(membership.merchant, data, personal=may(membership, Right.PERSONAL), known=known)

    @cached_property
    def form(self) -> FilterForm:
        """The filters' fields with what was asked for; a class of its own for every request costs more."""
        form = FilterForm(self.data)
        form.fields.update({name: each.field for name, each in self.filters.items()})
        return form

    @property
    def found(self) -> QuerySet[Transaction]:
        """What the filters find, in no order; nothing when one of them makes no sense."""
        if not self.is_valid():
            return Transaction.objects.none()
        return self.named if self.is_by_id else self.narrowed()

    @cached_property
    def is_by_id(self) -> bool:
        """Whether the search text is the whole id of a transaction: then all other filters are set aside."""
        if not self.is_valid() or search.by_id(self.form.cleaned_data.get("q", "")) is None:
            return False
        return self.named.exists()

    @property
    def named(self) -> QuerySet[Transaction]:
        """The transactions of which the search text is a whole id."""
        condition = search.by_id(self.form.cleaned_data.get("q", ""))
        return Transaction.objects.filter(condition or Q(pk__in=[]), merchant=self.merchant)

    def narrowed(self, leaving_out: Collection[str] = ()) -> QuerySet[Transaction]:
        """What the filters find, some of them left out; the search text is taken for no id."""
        queryset: QuerySet[Transaction] = self.queryset.all()
        for name, value in self.form.cleaned_data.items():
            if name not in leaving_out:
                queryset = self.filters[name].filter(queryset, value)
        return queryset

    @property
    def daily(self) -> QuerySet[DailyTotal] | None:
        """The daily totals of what is found, or None when the filters ask for more than those know."""
        return self.daily_of_narrowed()

    def daily_of_narrowed(self, leaving_out: Collection[str] = ()) -> QuerySet[DailyTotal] | None:
        """The daily totals of `narrowed`, or None when the filters ask for more than those know."""
        asked = self._asked_of_totals(leaving_out)
        if asked is None:
            return None
        range_ = {"day__gte": self.days.first, "day__lte": self.days.last}
        asked |= {name: day for name, day in range_.items() if day}
        return DailyTotal.objects.filter(merchant=self.merchant, **asked)

    def totals_of_narrowed(self, leaving_out: Collection[str] = ()) -> Sequence[QuerySet[Any]] | None:
        """The same by whole months, and by days where a month is not whole: few rows even for all time."""
        asked, daily = self._asked_of_totals(leaving_out), self.daily_of_narrowed(leaving_out)
        months = self.days.whole_months if daily is not None else None
        if asked is None or daily is None or months is None:
            return None if daily is None else [daily]
        monthly = MonthlyTotal.objects.filter(merchant=self.merchant, **asked)
        beside = Q(pk__in=[])
        if months.first:
            monthly, beside = monthly.filter(month__gte=months.first), beside | Q(day__lt=months.first)
        if months.last:
            monthly, beside = monthly.filter(month__lte=months.last), beside | Q(day__gt=months.last)
        return [monthly] if months == self.days else [monthly, daily.filter(beside)]

    def _asked_of_totals(self, leaving_out: Collection[str]) -> dict[str, Any] | None:
        used = {name for name in self.form.fields if name not in leaving_out and self.values_of(name)}
        if not self.is_valid() or used - _DAILY:
            return None
        values = {name: value for name, value in self.form.cleaned_data.items() if name in used}
        projects = [self.choices.projects[each] for each in values.get("project", [])]
        wanted = {"status__in": values.get("status"), "currency__in": values.get("currency")}
        wanted |= {"type": values.get("type"), "project__in": projects}
        return {name: value for name, value in wanted.items() if value}

    @property
    def days(self) -> periods.Days:
        """The days that are asked for, whether by dates or by a period."""
        values = self.form.cleaned_data
        if values.get("from") or values.get("to"):
            return periods.Days(values.get("from"), values.get("to"))
        today = self.now.astimezone(self.merchant.zone).date()
        return periods.preset(values["period"], today) if values.get("period") else periods.Days(None, None)

    @property
    def readings(self) -> Sequence[search.Reading]:
        """What the search text can mean when it is no id."""
        text = self.form.cleaned_data.get("q", "")
        return search.readings(text, personal=self.personal) if text else []

    @property
    def looking_for(self) -> str:
        """What the search text was taken for, in words."""
        return search.in_words(self.readings)

    @property
    def hint(self) -> str:
        """What somebody should know who finds nothing with this search text, or ""."""
        return search.hint(self.form.cleaned_data.get("q", ""), personal=self.personal)

    @property
    def must_unfold(self) -> bool:
        """Whether one of those that may be folded away has to be corrected; what is set, the chips say."""
        return any(name not in _IN_SIGHT for name in self.form.errors)

    def chips(self) -> Iterator[Chip]:
        """What is set, one chip for each value, in the order of the form."""
        return chips_of(self)

    def in_words(self) -> str:
        """The filter as a sentence for people who get an export, without its address; periods with days."""
        counting = [f"{chip.label}: {chip.text}" for chip in self.chips() if not chip.aside]
        if self.values_of("period") and not self.is_by_id:
            counting.append(f"Days: {self.days.first} to {self.days.last}")
        return " · ".join(counting) or "All transactions"

    def values_of(self, name: str) -> list[str]:
        """What the address says for a filter, each value once."""
        several = isinstance(self.filters[name], django_filters.MultipleChoiceFilter)
        values = self.data.getlist(name) if several else self.data.getlist(name)[-1:]
        return [value for value in dict.fromkeys(values) if value.strip()]

    def by_text(self, queryset: QuerySet[Transaction], *_: object) -> QuerySet[Transaction]:
        """Whatever the text can mean."""
        condition = Q()
        for reading in self.readings:
            condition |= reading.condition
        return queryset.filter(condition) if condition else queryset.none()

    def by_any(self, queryset: QuerySet[Transaction], name: str, values: list[str]) -> QuerySet[Transaction]:
        """One of several values."""
        return queryset.filter(**{f"{name}__in": values})

    def by_project(self, queryset: QuerySet[Transaction], _: str, ids: list[str]) -> QuerySet[Transaction]:
        """One of several projects, by PaySuper's ids."""
        return queryset.filter(project__in=[self.choices.projects[each] for each in ids])

    def by_mode(self, queryset: QuerySet[Transaction], _: str, mode: str) -> QuerySet[Transaction]:
        """Payments of money, or those that only try the shop (contract §6.1, `is_production`)."""
        return queryset.filter(is_production=mode == "live")

    def by_period(self, queryset: QuerySet[Transaction], *_: object) -> QuerySet[Transaction]:
        """A preset."""
        return self._within(queryset)

    def by_day(self, queryset: QuerySet[Transaction], *_: object) -> QuerySet[Transaction]:
        """The first or the last day."""
        return self._within(queryset)

    def by_product(self, queryset: QuerySet[Transaction], _: str, text: str) -> QuerySet[Transaction]:
        """Part of a product's name or SKU."""
        return queryset.filter(bought__icontains=text)

    def by_fulfilment(self, queryset: QuerySet[Transaction], _: str, state: str) -> QuerySet[Transaction]:
        """How far the goods are; unfulfilled means paid orders that are owed all or a part of them."""
        return queryset.filter(TO_FULFIL if state == Fulfilment.UNFULFILLED else Q(fulfilment=state))

    def _within(self, queryset: QuerySet[Transaction]) -> QuerySet[Transaction]:
        start, end = self.days.bounds(self.merchant.zone)
        if start:
            queryset = queryset.filter(created_at__gte=start)
        return queryset.filter(created_at__lt=end) if end else queryset
