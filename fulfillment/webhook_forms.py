"""What is asked of the webhook log, of the signature clinic, and of a project's page."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from fulfillment import inbox
from fulfillment.log_filter import LogFilter
from fulfillment.models import WebhookEvent, WebhookTest
from merchant.models import Merchant, Project

State = WebhookEvent.State
_UNSETTLED = "unsettled"
_OTHER, _MADE_UP = "other", "test"
_KNOWN_EVENTS = [*sorted(inbox.PAYMENT_EVENTS), inbox.VALIDATION]


class WebhookFilter(LogFilter):
    """The filters of the log, by the names that stand in its address."""

    state = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            (State.RECEIVED, "Waiting"),
            (State.PROCESSED, "Processed"),
            (State.IGNORED, "Kept, nothing to do"),
            (State.FAILED, "Failed"),
            (_UNSETTLED, "Failed or trying again"),
        ],
    )
    event = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Any"),
            *((name, name) for name in _KNOWN_EVENTS),
            (_MADE_UP, "Tests"),
            (_OTHER, "Unknown events"),
        ],
    )
    order = forms.UUIDField(
        label="Order ID", required=False, error_messages={"invalid": "This is not the ID of an order."}
    )
    signed_with = forms.ChoiceField(
        label="Signature", required=False, choices=[("", "Any"), *WebhookEvent.Signature.choices]
    )

    @property
    def found(self) -> QuerySet[WebhookEvent]:
        """The events, in no order; none when a filter makes no sense."""
        events = WebhookEvent.objects.filter(merchant=self.merchant)
        if not self.is_valid():
            return events.none()
        values = self.cleaned_data
        wanted = {"project": values["project"], "order_uuid": values["order"]}
        wanted |= {"signed_with": values["signed_with"]}
        events = events.filter(**{name: value for name, value in wanted.items() if value})
        return self.within(self._of_state(self._of_event(events)), "last_received_at")

    def _of_event(self, events: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
        event = self.cleaned_data["event"]
        if event == _MADE_UP:
            return events.exclude(testing_case="")
        if event == _OTHER:
            return events.exclude(event__in=_KNOWN_EVENTS)
        return events.filter(event=event) if event else events

    def _of_state(self, events: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
        state = self.cleaned_data["state"]
        if state == _UNSETTLED:
            return inbox.unsettled(events)
        return events.filter(state=state) if state else events


class ClinicForm(forms.Form):
    """A delivery that somebody wonders about. What is pasted is neither stored nor logged."""

    project: "forms.ModelChoiceField[Project]" = forms.ModelChoiceField(
        queryset=None, to_field_name="paysuper_id", empty_label=None
    )
    header = forms.CharField(
        label="Signature header",
        required=False,
        max_length=2000,
        help_text="The value of Authorization, as it arrived.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    body = forms.CharField(
        strip=False,
        required=False,
        help_text="The body exactly as it arrived. It is not stored.",
        widget=forms.Textarea(attrs={"rows": 10, "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, merchant: Merchant, data: Any = None) -> None:
        super().__init__(data)
        self.fields["project"].queryset = merchant.projects.all()  # type: ignore[attr-defined]

    def clean_body(self) -> str:
        """Browsers send every line end as CR LF, whatever was pasted."""
        return str(self.cleaned_data["body"]).replace("\r\n", "\n")


class SecretForm(forms.Form):
    """A new secret. It is never shown again."""

    secret = forms.CharField(
        label="New secret key",
        max_length=500,
        help_text="Copy it from the project's settings at PaySuper. It is stored encrypted and never shown.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_secret(self) -> str:
        """A secret consists of signs that can be typed."""
        secret: str = self.cleaned_data["secret"]
        if not secret.isprintable():
            raise forms.ValidationError("This holds signs that no secret has. Copy it again.")
        return secret


class WebhooksForm(forms.Form):
    """Whether webhooks are taken, and how PaySuper's question about a customer is answered."""

    takes_webhooks = forms.BooleanField(label="Take webhooks of this project", required=False)
    admits_customers = forms.TypedChoiceField(
        label="When PaySuper asks whether a customer may pay (user.validate)",
        choices=[("yes", "Let every customer pay"), ("no", "Let no customer pay")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )

    @classmethod
    def of(cls, project: Project) -> "WebhooksForm":
        """As the project is set now."""
        admits = "yes" if project.admits_customers else "no"
        return cls(initial={"takes_webhooks": project.takes_webhooks, "admits_customers": admits})


class TestForm(forms.Form):
    """Which made-up webhook PaySuper is asked for."""

    case = forms.ChoiceField(label="Test event", choices=WebhookTest.Case.choices)
