"""What staff fills in about mails."""

import secrets
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils import timezone

from fulfillment.models import MailRule
from fulfillment.receipts import logo
from merchant import envelope
from transactions.models import Transaction


class MailForm(forms.Form):
    """What to mail, and where to. The key makes one mail of a form that is sent twice."""

    what = forms.ChoiceField(label="Mail")
    address = forms.EmailField(
        label="To",
        max_length=254,
        help_text="Correct it if the customer has mistyped it. The order itself stays as it is.",
    )
    key = forms.RegexField(r"^[A-Za-z0-9_-]{8,64}$", widget=forms.HiddenInput)

    def __init__(
        self, choices: list[tuple[str, str]], order: Transaction, data: QueryDict | None, wanted: QueryDict
    ) -> None:
        initial = {
            "what": wanted.get("what", ""),
            "address": order.customer_email,
            "key": secrets.token_urlsafe(12),
        }
        super().__init__(data, initial=initial)
        what: Any = self.fields["what"]
        what.choices = choices
        what.error_messages["invalid_choice"] = "This cannot be mailed any more. Look at the order again."


class MailRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who mails a project's customers, and what the mails show."""

    who = forms.ChoiceField(
        label="Receipts and keys",
        choices=[
            ("paysuper", "PaySuper mails them; we only do when somebody presses “Mail” on a transaction"),
            ("we", "We mail them: switch PaySuper's own mails off, or customers get both"),
        ],
        widget=forms.RadioSelect,
    )
    picture = forms.FileField(
        label="Logo",
        required=False,
        help_text="PNG or JPEG of at most 512 kB. It is shown 40 pixels high, on white.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )
    without_logo = forms.BooleanField(label="Remove the logo", required=False)

    class Meta:
        model = MailRule
        fields = ("who", "shop_name", "support_email", "picture", "without_logo")
        labels: ClassVar = {"shop_name": "Name of the shop", "support_email": "Address for questions"}
        help_texts: ClassVar = {
            "shop_name": "As customers know it. Empty: the name of the project.",
            "support_email": "Customers' answers go there. Empty: mails say nothing about questions.",
        }

    def __init__(self, rule: MailRule, data: QueryDict | None, files: Any) -> None:
        super().__init__(data, files, instance=rule, initial={"who": "we" if rule.we_mail else "paysuper"})
        if not rule.logo:
            del self.fields["without_logo"]

    def clean_picture(self) -> bytes:
        """The logo as it is kept; empty when none was uploaded."""
        upload = self.cleaned_data["picture"]
        try:
            return logo.drawn(upload) if upload else b""
        except logo.NotALogo as trouble:
            raise forms.ValidationError(str(trouble)) from trouble

    def clean_support_email(self) -> str:
        """An address that mails can name for answers."""
        address = str(self.cleaned_data["support_email"])
        if address:
            envelope.check_address(address)
        return address

    def clean_shop_name(self) -> str:
        """A name of one line: it stands in the From of mails."""
        return envelope.one_line(str(self.cleaned_data["shop_name"]))

    def save(self, commit: bool = True) -> MailRule:
        """Switching on counts from now: what was paid before PaySuper has told of."""
        rule, wanted = self.instance, self.cleaned_data
        rule.mails_since = (rule.mails_since or timezone.now()) if wanted["who"] == "we" else None
        if wanted["picture"] or wanted.get("without_logo"):
            rule.logo = wanted["picture"]
        return super().save(commit)  # type: ignore[no-any-return]
