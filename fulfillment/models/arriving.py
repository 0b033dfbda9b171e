"""The inbox of PaySuper's webhooks. Only `fulfillment.inbox` changes an event's state."""

from typing import ClassVar

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
