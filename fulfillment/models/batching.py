"""Many rows at once. Only `fulfillment.batches` writes these; each row it does is an Action of its own."""

import datetime as dt
import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from fulfillment.models.acting import Action
from merchant.models import Merchant
from transactions.models import Transaction


class Batch(models.Model):
    """A selection that somebody wants to fulfil or refund: previewed, confirmed, then done row by row."""

    class Kind(models.TextChoices):
        FULFIL = "fulfil", "Fulfil"
        REFUND = "refund", "Refund"

    class State(models.TextChoices):
        PREVIEWED = "previewed", "Not confirmed"
        RUNNING = "running", "Running"
        DONE = "done", "Every row asked for"

    PREVIEW_LIFETIME = dt.timedelta(days=1)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="batches")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREVIEWED)
    reason = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    # The list that it was selected from, to return to.
    query = models.TextField(blank=True)
    # Of the form and its rows: a form that is sent twice makes one preview.
    key = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["requested_by", "key"], condition=Q(state="previewed"), name="one_preview_per_form"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-created_at"], name="batch_newest"),
            models.Index(fields=["state", "look_at"], name="batch_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M}"


class BatchItem(models.Model):
    """One row of a batch: what was seen of it, what was said about it, and the action it became."""

    class State(models.TextChoices):
        LEFT_OUT = "left_out", "Left out"
        WAITING = "waiting", "Waiting"
        ASKED = "asked", "Asked for"
        BLOCKED = "blocked", "Not done"

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="items")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField()
    seen_amount = models.DecimalField(max_digits=19, decimal_places=4)
    seen_currency = models.CharField(max_length=10)
    state = models.CharField(max_length=10, choices=State.choices)
    # Why nothing is done with this row, or what it will have to wait for, as a sentence.
    verdict = models.CharField(max_length=300, blank=True)
    action = models.OneToOneField(Action, models.RESTRICT, null=True, related_name="batch_item")
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "transaction"], name="one_item_per_row"),
        ]
        indexes: ClassVar = [models.Index(fields=["batch", "state", "position"], name="batch_next")]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.transaction_id}"
