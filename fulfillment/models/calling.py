"""Calls to merchants' own servers, and how each try went."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models

from merchant.encryption import EncryptedTextField
from merchant.models import Merchant, Project
from transactions.models import Transaction


def new_id() -> str:
    """The id of a message: known to the server that receives it, and guessed by nobody."""
    return f"msg_{secrets.token_hex(16)}"


class ServerCall(models.Model):
    """What the merchant's own server is told of an order: one row per order and event.

    The id and the body are the same at every try. The row is the truth, tasks only ring.
    """

    class Event(models.TextChoices):
        PAID = "order.paid", "Order paid"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Being sent"
        TAKEN = "taken", "Taken"
        GIVEN_UP = "given_up", "Given up"
        STOPPED = "stopped", "Stopped"

    OPEN: ClassVar = (State.WAITING, State.SENDING)

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, related_name="server_calls")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="server_calls")
    event = models.CharField(max_length=30, choices=Event.choices)
    webhook_id = models.CharField(max_length=40, unique=True, default=new_id)
    body = EncryptedTextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    tries = models.PositiveIntegerField(default=0)
    # How many tries of the present round have failed: a person who presses "send again" begins a new one.
    failures = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField()
    outcome = models.CharField(max_length=300, blank=True)
    asked_again_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction", "event"], name="one_call_per_order_and_event")
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "try_at"], name="call_waiting"),
            models.Index(fields=["project", "-created_at"], name="call_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.webhook_id}"

    @property
    def is_open(self) -> bool:
        """Whether the server is still to be called."""
        return self.state in self.OPEN


class ServerCallTry(models.Model):
    """One try to reach the server: its answer, or in words why there is none."""

    call = models.ForeignKey(ServerCall, models.CASCADE, related_name="history")
    number = models.PositiveIntegerField()
    url = models.CharField(max_length=500)
    sent_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status = models.PositiveIntegerField(null=True)
    answer = EncryptedTextField(blank=True)
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["call", "number"], name="one_row_per_try")]

    def __str__(self) -> str:
        return f"{self.call} {self.number}"
