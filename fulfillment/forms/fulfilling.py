"""What staff fills in about handing over."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from fulfillment import queue
from fulfillment.items import ItemState, Key
from fulfillment.models import FulfilmentRule
from merchant import outside
from merchant.models import Merchant, Project


class HandoverForm(forms.Form):
    """What is handed over or taken back: all of it, or chosen items of an order that has several.

    Boxes of which none is checked are a mistake; a request that speaks of no boxes means everything.
    """

    choose: ClassVar = "Items"

    items = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    by_item = forms.BooleanField(required=False, widget=forms.HiddenInput)
    back = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)

    def __init__(
        self, offered: list[ItemState], data: QueryDict | None, back: str = "", *, several: bool
    ) -> None:
        values = [each.value for each in offered]
        super().__init__(data, initial={"items": values, "by_item": several, "back": back})
        self._keys = {each.value: each.key for each in offered}
        if several:
            items: Any = self.fields["items"]
            items.label, items.choices = self.choose, [(each.value, each.title) for each in offered]
            # Items that are not offered any more were chosen before somebody else acted.
            items.error_messages["invalid_choice"] = "An item has changed meanwhile. Look at the order again."
        else:
            del self.fields["items"], self.fields["by_item"]

    def clean_by_item(self) -> bool:
        """Somebody who saw the boxes has to leave one checked."""
        by_item: bool = self.cleaned_data["by_item"]
        if by_item and "items" not in self.data:
            self.add_error("items", "Choose at least one item.")
        return by_item

    @property
    def chosen(self) -> list[Key] | None:
        """The chosen items; None for all that there are."""
        return [self._keys[value] for value in self.cleaned_data.get("items", [])] or None


class FulfilForm(HandoverForm):
    """What was handed over, and how."""

    choose: ClassVar = "Items to hand over"

    reference = forms.CharField(
        label="Reference",
        max_length=100,
        required=False,
        help_text="Such as the number of a parcel or ticket.",
    )
    note = forms.CharField(
        max_length=500,
        required=False,
        help_text="For your colleagues only.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ["items", "reference", "note", "by_item", "back"]


class UnfulfilForm(HandoverForm):
    """Why a fulfilment is taken back."""

    choose: ClassVar = "Items to take back"

    note = forms.CharField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    field_order = ["items", "note", "by_item", "back"]


class WithdrawForm(forms.Form):
    """How goods were taken back whose money went back, or why that is undone."""

    note = forms.CharField(label="Reason", max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    back = forms.CharField(max_length=2000, required=False, widget=forms.HiddenInput)


class QueueForm(forms.Form):
    """Which list of the queue, and of which project."""

    list = forms.ChoiceField(
        required=False, choices=[(name, name) for name in queue.LISTS], widget=forms.HiddenInput
    )
    project: Any = forms.ModelChoiceField(
        queryset=None, to_field_name="paysuper_id", required=False, empty_label="All projects"
    )

    older = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, merchant: Merchant, data: QueryDict) -> None:
        super().__init__(data)
        projects: Any = self.fields["project"]
        projects.queryset = Project.objects.filter(merchant=merchant)
        projects.error_messages["invalid_choice"] = "There is no such project."

    @property
    def wanted(self) -> str:
        """One of queue.LISTS."""
        return (self.cleaned_data.get("list") if self.is_valid() else "") or "fulfil"

    @property
    def chosen_project(self) -> Project | None:
        """The project, or None for all."""
        return self.cleaned_data.get("project") if self.is_valid() else None

    @property
    def with_older(self) -> bool:
        """Whether orders paid before the merchant was connected are asked for too."""
        return self.is_valid() and bool(self.cleaned_data.get("older"))


class FulfilmentRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a project promises, and what happens without hands."""

    is_automatic = forms.BooleanField(label="Fulfil paid orders without hands", required=False)

    class Meta:
        model = FulfilmentRule
        fields = ("promise_hours", "claim_minutes", "is_automatic", "server_url")
        labels: ClassVar = {
            "promise_hours": "Promise to customers, in hours",
            "claim_minutes": "Time for one order, in minutes",
            "server_url": "Address of your server",
        }
        help_texts: ClassVar = {
            "promise_hours": "A paid order is overdue when it has waited longer.",
            "claim_minutes": "Who takes an order keeps it for so long, and longer by acting on it.",
            "server_url": "It is told of each paid order; what it takes counts as fulfilled. "
            "Without an address, paid orders count as fulfilled at once.",
        }

    def __init__(self, rule: FulfilmentRule, data: QueryDict | None) -> None:
        super().__init__(data, instance=rule, initial={"is_automatic": rule.is_automatic})

    def clean_server_url(self) -> str:
        """An address that workers may call."""
        address: str = self.cleaned_data["server_url"].strip()
        if trouble := outside.trouble(address, private=settings.ALLOW_PRIVATE_SERVERS):
            raise forms.ValidationError(trouble)
        return address

    def save(self, commit: bool = True) -> FulfilmentRule:
        """Switching on counts from now: what was paid before is in somebody's hands."""
        rule = self.instance
        wanted = self.cleaned_data["is_automatic"]
        rule.automatic_since = (rule.automatic_since or timezone.now()) if wanted else None
        return super().save(commit)  # type: ignore[no-any-return]
