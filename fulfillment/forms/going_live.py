"""A backup that somebody has taken."""

import datetime as dt
from typing import ClassVar

from django import forms
from django.utils import timezone

from fulfillment.models import BackupNote


class BackupForm(forms.ModelForm):  # type: ignore[type-arg]
    """When, and where it lies."""

    class Meta:
        model = BackupNote
        fields: ClassVar = ["taken_on", "place"]
        labels: ClassVar = {"taken_on": "Taken on", "place": "Where it lies"}
        help_texts: ClassVar = {"place": "For people: a name, not a password."}
        widgets: ClassVar = {"taken_on": forms.DateInput(attrs={"type": "date"})}

    def clean_taken_on(self) -> dt.date:
        """Nobody has taken a backup tomorrow."""
        taken: dt.date = self.cleaned_data["taken_on"]
        if taken > timezone.localdate():
            raise forms.ValidationError("This day has not come yet.")
        return taken
