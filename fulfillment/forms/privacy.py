"""What an owner says about personal data: how long it is kept, and whom to forget."""

from typing import Any, ClassVar

from django import forms

from fulfillment.forms.confirming import ConfirmedForm
from merchant.models import RetentionRules


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]
    """How long a merchant keeps what tells of customers."""

    class Meta:
        model = RetentionRules
        fields = ("webhook_days", "mail_days", "call_days", "export_days")
        labels: ClassVar = {
            "webhook_days": "Bodies of webhooks, in days",
            "mail_days": "Texts of mails to customers, in days",
            "call_days": "What your server was told and answered, in days",
            "export_days": "Files of exports, in days",
        }
        help_texts: ClassVar = {
            "webhook_days": "From the last delivery on. That it came, when, and what became of it stays. "
            "Webhooks that failed or wait are never touched. Receipts that are written later name the tax as "
            "PaySuper books it.",
            "mail_days": "That it was sent, when and to whom stays. It can be written and sent again.",
            "call_days": "That your server was told, when, and the status of its answer stays; it cannot be "
            "told the same again. Calls of orders that are still to be fulfilled are never touched.",
            "export_days": "What a file said, and its control code, stays; the same file can be made again.",
        }

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for name, field in self.fields.items():
            is_export = name == "export_days"
            field.widget.attrs |= {
                "min": 1,
                "max": RetentionRules.LONGEST_EXPORT if is_export else RetentionRules.LONGEST,
            }


class CustomerForm(forms.Form):
    """Whom to look for."""

    customer = forms.CharField(
        label="E-mail address or customer ID",
        max_length=320,
        help_text="As it stands on the customer's transactions.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )


class ErasureForm(ConfirmedForm, CustomerForm):
    """The customer that was found, and the words that confirm it, with the number that was seen."""

    def __init__(self, phrase: str, *arguments: Any, **named: Any) -> None:
        super().__init__(phrase, *arguments, **named)
        self.fields["customer"].widget = forms.HiddenInput()
