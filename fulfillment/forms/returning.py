"""Whether a project shows pages after the payment."""

from typing import ClassVar

from django import forms
from django.core.validators import URLValidator

from fulfillment.models import ReturnPage


class ReturnPageForm(forms.ModelForm):  # type: ignore[type-arg]
    """The switch, and where customers go from there."""

    shop_url = forms.CharField(
        label="Address of your shop or game",
        max_length=500,
        required=False,
        validators=[URLValidator(["http", "https"])],
        help_text="The page links back to it. Leave it empty for no link.",
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
    )

    class Meta:
        model = ReturnPage
        fields: ClassVar = ["is_open", "shop_url"]
        labels: ClassVar = {"is_open": "Show these pages to customers"}
