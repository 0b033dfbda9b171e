"""The inbox of PaySuper's webhooks. Only `fulfillment.inbox` changes an event's state."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from merchant.encryption import EncryptedTextField
from merchant.models import Merchant, Project


class WebhookEvent(models.Model):
    """One event that PaySuper told us of, stored before anything else happens (contract §13).

    `event_id` is PaySuper's hash of order and event: it comes again with every try and even with another
    object, so a row is an (event_id, object) pair and every delivery makes it be processed again.
    """

    class State(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "Kept, nothing to do"
        FAILED = "failed", "Failed"

    class Signature(models.TextChoices):
        CURRENT = "current", "Current secret"
        PREVIOUS = "previous", "Previous secret"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="webhook_events")
    project = models.ForeignKey(Project, models.CASCADE, related_name="webhook_events")
    event_id = models.CharField(max_length=64)
    object_hash = models.CharField(max_length=64)
    event = models.CharField(max_length=60)
    order_uuid = models.UUIDField(null=True)
    order_status = models.CharField(max_length=20, blank=True)
    testing_case = models.CharField(max_length=50, blank=True)
    body = EncryptedTextField()
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField(auto_now_add=True)
    last_received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    # Of the newest delivery.
    signed_with = models.CharField(
        max_length=10, choices=Signature.choices, default=Signature.CURRENT, db_default=Signature.CURRENT
    )
    headers = models.JSONField(default=dict, db_default={})
    answer = models.PositiveSmallIntegerField(default=200, db_default=200)
    # Of the newest try to process it.
    milliseconds = models.PositiveIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["-last_received_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "event_id", "object_hash"], name="one_row_per_event_object"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "try_at"], name="webhook_waiting"),
            models.Index(fields=["merchant", "-last_received_at"], name="webhook_newest"),
            models.Index(fields=["merchant", "order_uuid"], name="webhook_order"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.order_uuid}"

    @property
    def is_waiting(self) -> bool:
        """Whether a try went wrong and another one will follow by itself."""
        return self.state == self.State.RECEIVED and self.attempts > 0


class RefusedDelivery(models.Model):
    """One of the newest deliveries that were not taken: nobody knows who sent it, so little is kept of it."""

    class Reason(models.TextChoices):
        NO_SIGNATURE = "no_signature", "No signature"
        WRONG_FORM = "wrong_form", "Not PaySuper's form of a signature"
        WRONG_SIGNATURE = "wrong_signature", "Wrong signature"
        UNREADABLE = "unreadable", "Not a JSON object"
        TOO_LARGE = "too_large", "Too large"
        SWITCHED_OFF = "switched_off", "Switched off"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="refused_deliveries")
    project = models.ForeignKey(Project, models.CASCADE, related_name="refused_deliveries")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    detail = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)
    size = models.PositiveBigIntegerField()
    # The beginning of the body: enough for its envelope, too little for the customer in it.
    beginning = EncryptedTextField(blank=True)
    headers = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["project", "reason", "-id"], name="refused_newest")]

    def __str__(self) -> str:
        return f"{self.reason} {self.received_at}"


class RefusalCount(models.Model):
    """How many deliveries of a project were not taken in an hour, and why."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="refusal_counts")
    hour = models.DateTimeField()
    reason = models.CharField(max_length=20, choices=RefusedDelivery.Reason.choices)
    count = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "hour", "reason"], name="one_refusal_count_per_hour")
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.reason}"


class WebhookTest(models.Model):
    """A made-up webhook that somebody asked PaySuper for (contract §13.7)."""

    class Case(models.TextChoices):
        CORRECT_PAYMENT = "correct_payment", "A payment, signed correctly"
        INVALID_SIGNATURE = "invalid_signature", "A payment with a wrong signature"

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        SENDING = "sending", "Being asked for at PaySuper"
        SENT = "sent", "PaySuper sends it"
        FAILED = "failed", "Not sent"
        UNKNOWN = "unknown", "PaySuper did not answer"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="webhook_tests")
    project = models.ForeignKey(Project, models.CASCADE, related_name="webhook_tests")
    case = models.CharField(max_length=20, choices=Case.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    order_uuid = models.UUIDField(null=True)
    outcome = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.case} {self.state}"
