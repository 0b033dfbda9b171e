"""Activation keys that PaySuper's staff is asked to replace (contract §8.1)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from merchant.encryption import EncryptedTextField
from merchant.models import Merchant
from transactions.models import Transaction

# Spelled out, since a constraint of the database outlives the names in the code.
OPEN_REPLACEMENTS = ["requested", "sending", "accepted", "unknown", "needs_person"]


class KeyReplacement(models.Model):
    """Another key for a product of an order. Only `fulfillment.replacing` changes its state, drawn there."""

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "Replaced, the new key is being read"
        UNKNOWN = "unknown", "Checking with PaySuper"
        NEEDS_PERSON = "needs_person", "Needs a person"
        DONE = "done", "Replaced"
        REFUSED = "refused", "Not replaced"

    # Sent to PaySuper, with an end that is not known yet.
    SENT: ClassVar = (State.ACCEPTED, State.UNKNOWN, State.NEEDS_PERSON)
    OPEN: ClassVar = (State.REQUESTED, State.SENDING, *SENT)

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="key_replacements")
    # PaySuper's id of the key product: its items of the order get the new key.
    product_id = models.CharField(max_length=50)
    product = models.CharField(max_length=255, blank=True)
    note = models.CharField(max_length=500)
    state = models.CharField(max_length=20, choices=State.choices, default=State.REQUESTED)
    # The keys when it left, as JSON: what differs from them later is new. Empty once it has ended.
    keys_before = EncryptedTextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)
    looks = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(state__in=OPEN_REPLACEMENTS),
                name="one_open_key_replacement_per_order",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["look_at"], condition=Q(state__in=OPEN_REPLACEMENTS), name="key_replacement_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product or self.product_id} {self.state}"
