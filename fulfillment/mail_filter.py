"""What is asked of the list of mails."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from fulfillment.models import Message
from merchant.models import Merchant, Project
from transactions import periods

State = Message.State
_TROUBLE, _ON_ITS_WAY = "trouble", "open"
# Somebody has to look at these, or will have to.
IN_TROUBLE = (State.FAILED, State.BOUNCED, State.GAVE_UP, State.UNKNOWN)


class MailFilter(forms.Form):
    """The filters of the list, by the names that stand in its address."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), (_TROUBLE, "Failing"), (_ON_ITS_WAY, "On the way"), *State.choices],
    )
    kind = forms.ChoiceField(required=False, choices=[("", "Any"), *Message.Kind.choices])
    project: "forms.ModelChoiceField[Project]" = forms.ModelChoiceField(
        queryset=None, required=False, to_field_name="paysuper_id", empty_label="All projects"
    )
    address = forms.CharField(label="Address", required=False, max_length=320)
    period = forms.ChoiceField(required=False, choices=[("", "Any time"), *periods.PRESETS.items()])
    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, merchant: Merchant, data: Any, *, sees_person: bool) -> None:
        super().__init__(data)
        self.merchant = merchant
        self.fields["project"].queryset = merchant.projects.all()  # type: ignore[attr-defined]
        if not sees_person:
            # Who may not read an address may not find it by trying either.
            del self.fields["address"]

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

    @property
    def found(self) -> QuerySet[Message]:
        """The mails, newest first; none when a filter makes no sense."""
        mails = Message.objects.filter(merchant=self.merchant).order_by("-created_at", "-pk")
        if not self.is_valid():
            return mails.none()
        values = self.cleaned_data
        wanted = {"kind": values["kind"], "project": values["project"]}
        wanted |= {"recipient__iexact": values.get("address", "")}
        mails = mails.filter(**{name: value for name, value in wanted.items() if value})
        return self._within(self._of_state(mails))

    def _of_state(self, mails: QuerySet[Message]) -> QuerySet[Message]:
        state = self.cleaned_data["state"]
        groups = {_TROUBLE: IN_TROUBLE, _ON_ITS_WAY: Message.OPEN}
        return mails.filter(state__in=groups.get(state, (state,))) if state else mails

    def _within(self, mails: QuerySet[Message]) -> QuerySet[Message]:
        start, end = self._days().bounds(self.merchant.zone)
        condition = Q(created_at__gte=start) if start else Q()
        return mails.filter(condition & (Q(created_at__lt=end) if end else Q()))

    def _days(self) -> periods.Days:
        """Days of the merchant's zone; dates overrule a period."""
        values = self.cleaned_data
        if values["first"] or values["last"]:
            return periods.Days(values["first"], values["last"])
        today: dt.date = timezone.now().astimezone(self.merchant.zone).date()
        return periods.preset(values["period"], today) if values["period"] else periods.Days(None, None)
