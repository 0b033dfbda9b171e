"""What is asked of the list of mails."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from fulfillment.log_filter import LogFilter
from fulfillment.models import Message
from merchant.models import Merchant

State = Message.State
_TROUBLE, _ON_ITS_WAY = "trouble", "open"
# Somebody has to look at these, or will have to.
IN_TROUBLE = (State.FAILED, State.BOUNCED, State.GAVE_UP, State.UNKNOWN)


class MailFilter(LogFilter):
    """The filters of the list, by the names that stand in its address."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), (_TROUBLE, "Failing"), (_ON_ITS_WAY, "On the way"), *State.choices],
    )
    kind = forms.ChoiceField(required=False, choices=[("", "Any"), *Message.Kind.choices])
    address = forms.CharField(label="Address", required=False, max_length=320)
    field_order = ("state", "kind", "project", "address", "period", "first", "last")

    def __init__(self, merchant: Merchant, data: Any, *, sees_person: bool) -> None:
        super().__init__(merchant, data)
        if not sees_person:
            # Who may not read an address may not find it by trying either.
            del self.fields["address"]

    @property
    def found(self) -> QuerySet[Message]:
        """The mails, in no order; none when a filter makes no sense."""
        mails = Message.objects.filter(merchant=self.merchant)
        if not self.is_valid():
            return mails.none()
        values = self.cleaned_data
        wanted = {"kind": values["kind"], "project": values["project"]}
        wanted |= {"recipient__iexact": values.get("address", "")}
        mails = mails.filter(**{name: value for name, value in wanted.items() if value})
        return self.within(self._of_state(mails), "created_at")

    def _of_state(self, mails: QuerySet[Message]) -> QuerySet[Message]:
        state = self.cleaned_data["state"]
        groups = {_TROUBLE: IN_TROUBLE, _ON_ITS_WAY: Message.OPEN}
        return mails.filter(state__in=groups.get(state, (state,))) if state else mails
