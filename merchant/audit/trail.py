"""Finding entries of a merchant's audit."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.datastructures import MultiValueDict

from merchant.days_filter import DaysFilter
from merchant.models import AuditEvent, Merchant, User

# Of so many newest entries the kinds are offered; any other can be typed.
_LOOKED_AT = 2000
_SYSTEM = "system"


class AuditFilter(DaysFilter):
    """The filters of the audit, by the names that stand in its address."""

    person = forms.CharField(
        required=False, max_length=254, help_text="An e-mail address or a part of it; “system” for nobody."
    )
    event = forms.CharField(required=False, max_length=60, help_text="Its beginning is enough: refund")
    object = forms.CharField(required=False, max_length=100, help_text="An ID, such as an order's.")
    field_order = ("person", "event", "object", "first", "last")

    def __init__(self, merchant: Merchant, data: MultiValueDict[str, Any]) -> None:
        super().__init__(merchant, data)
        self.fields["event"].widget.attrs["list"] = "audit-events"

    @property
    def known_events(self) -> list[str]:
        """What has happened lately, to choose from."""
        newest = AuditEvent.objects.filter(merchant=self.merchant).order_by("-pk")
        return sorted(set(newest.values_list("event", flat=True)[:_LOOKED_AT]))

    @property
    def found(self) -> QuerySet[AuditEvent]:
        """The entries, in no order; none when a filter makes no sense. Days are of the merchant's zone."""
        entries = AuditEvent.objects.filter(merchant=self.merchant)
        if not self.is_valid():
            return entries.none()
        values = self.cleaned_data
        wanted: dict[str, Any] = {"event__startswith": values["event"], "subject": values["object"]}
        wanted |= {"at__gte": self._midnight(values["first"])}
        wanted |= {"at__lt": self._midnight(values["last"], days=1)}
        entries = entries.filter(**{name: value for name, value in wanted.items() if value})
        return self._of_person(entries, values["person"])

    @staticmethod
    def _of_person(entries: QuerySet[AuditEvent], person: str) -> QuerySet[AuditEvent]:
        if not person:
            return entries
        if person.lower() == _SYSTEM:
            return entries.filter(user=None)
        # Also people who have left: their entries stay.
        people = User.objects.filter(email__icontains=person)
        return entries.filter(user__in=list(people.values_list("pk", flat=True)))

    def _midnight(self, day: dt.date | None, days: int = 0) -> dt.datetime | None:
        if day is None or (days and day == dt.date.max):
            return None
        midnight = dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), self.merchant.zone)
        # The first and the last years have moments that UTC cannot tell.
        return midnight.astimezone(dt.UTC) if dt.MINYEAR < day.year < dt.MAXYEAR else None
