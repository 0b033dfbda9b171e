"""What staff does about transactions. Only `fulfillment.actions` changes an action's state."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from merchant.models import Merchant
from transactions.models import Transaction

# Spelled out, since a constraint of the database outlives the names in the code.
OPEN_REFUNDS = ["awaiting_approval", "requested", "sending", "accepted", "unknown", "needs_person"]


class Action(models.Model):
    """Something that a person, or a rule (nobody), asked to be done with a transaction.

    The row is the truth, tasks only ring.

    The states of a refund and the ways between them are drawn in `fulfillment.actions`.
    """

    class Kind(models.TextChoices):
        FULFIL = "fulfil", "Fulfil"
        UNFULFIL = "unfulfil", "Undo fulfilment"
        WITHDRAW = "withdraw", "Withdraw"
        RESTORE = "restore", "Undo withdrawal"
        REFUND = "refund", "Refund"

    class State(models.TextChoices):
        AWAITING_APPROVAL = "awaiting_approval", "Waiting for approval"
        REQUESTED = "requested", "Requested"
        SENDING = "sending", "Being sent"
        ACCEPTED = "accepted", "In progress at PaySuper"
        UNKNOWN = "unknown", "Checking with PaySuper"
        NEEDS_PERSON = "needs_person", "Needs a person"
        DONE = "done", "Done"
        REFUNDED = "refunded", "Refunded"
        DECLINED = "declined", "Declined"
        REFUSED = "refused", "Refused"
        NOT_APPROVED = "not_approved", "Not approved"
        UNDONE = "undone", "Taken back before it was sent"

    # Sent to PaySuper, with an end that is not known yet.
    SENT: ClassVar = (State.ACCEPTED, State.UNKNOWN, State.NEEDS_PERSON)
    # What workers look after by themselves.
    UNDER_WAY: ClassVar = (State.REQUESTED, State.SENDING, *SENT)
    OPEN: ClassVar = (State.AWAITING_APPROVAL, *UNDER_WAY)

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="actions")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=20, choices=State.choices)
    reason = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=500, blank=True)
    # Of a fulfilment: the number of the parcel or ticket, and the items in words ("" for all).
    handover_reference = models.CharField(max_length=100, blank=True)
    items_in_words = models.CharField(max_length=500, blank=True)
    amount = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    currency = models.CharField(max_length=10, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    needs_approval = models.BooleanField(default=False)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=500, blank=True)
    # By the database's clock: not sent before, so that it can be taken back (null: at once).
    send_at = models.DateTimeField(null=True)
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
                condition=Q(kind="refund", state__in=OPEN_REFUNDS),
                name="one_open_refund_per_order",
            ),
            models.UniqueConstraint(
                fields=["transaction"],
                condition=Q(kind="fulfil", requested_by=None),
                name="one_automatic_fulfilment_per_order",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=models.F("requested_by")),
                name="decided_by_another_person",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(decided_by__isnull=False)
                | Q(state__in=["awaiting_approval", "undone"]),
                name="nothing_sent_without_its_approval",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "look_at"], name="action_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def is_open(self) -> bool:
        """Whether this is still under way."""
        return self.state in self.OPEN
