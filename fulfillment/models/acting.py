"""What staff does about transactions. Only `fulfillment.actions` changes an action's state."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from merchant.models import Merchant
from transactions.models import Transaction


class Action(models.Model):
    """Something that a person, or a rule (nobody), asked to be done with a transaction.

    The row is the truth, tasks only ring.

    A refund walks requested → sending → accepted → refunded, or ends as declined (by the payment system,
    later) or refused (by PaySuper, at once). A lost answer makes it unknown, which is settled by reading.
    """

    class Kind(models.TextChoices):
        FULFIL = "fulfil", "Fulfil"
        UNFULFIL = "unfulfil", "Undo fulfilment"
        WITHDRAW = "withdraw", "Withdraw"
        RESTORE = "restore", "Undo withdrawal"
        REFUND = "refund", "Refund"

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "In progress at PaySuper"
        UNKNOWN = "unknown", "Checking with PaySuper"
        NEEDS_PERSON = "needs_person", "Needs a person"
        DONE = "done", "Done"
        REFUNDED = "refunded", "Refunded"
        DECLINED = "declined", "Declined"
        REFUSED = "refused", "Refused"

    OPEN: ClassVar = (State.REQUESTED, State.SENDING, State.ACCEPTED, State.UNKNOWN, State.NEEDS_PERSON)

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="actions")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=15, choices=State.choices)
    reason = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    # Of a fulfilment: the number of the parcel or ticket, and the items in words ("" for all).
    handover_reference = models.CharField(max_length=100, blank=True)
    items_in_words = models.CharField(max_length=500, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(max_length=10, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    reference = models.CharField(max_length=20, unique=True)
    paysuper_refund_id = models.CharField(max_length=50, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True)
    looks = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-requested_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(
                    kind="refund", state__in=["requested", "sending", "accepted", "unknown", "needs_person"]
                ),
                name="one_open_refund_per_order",
            ),
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(kind="fulfil", requested_by=None),
                name="one_automatic_fulfilment_per_order",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "look_at"], name="action_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def is_open(self) -> bool:
        """Whether this is still under way."""
        return self.state in self.OPEN
