"""Mails to the people who work here."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from merchant.encryption import EncryptedTextField


class Mail(models.Model):
    """A mail that waits for a worker, or what became of it.

    Texts hold links that open doors: they are encrypted, and gone once the mail is. A mail about somebody's
    own account has no merchant.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "on its way"
        SENT = "sent", "sent"
        GIVEN_UP = "given_up", "could not be sent"
        CANCELED = "canceled", "not sent any more"

    merchant = models.ForeignKey("merchant.Merchant", models.CASCADE, null=True, related_name="mails")
    recipient = models.EmailField()
    subject = models.CharField(max_length=250)
    text = EncryptedTextField()
    html = EncryptedTextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    try_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=models.Q(state="waiting"), name="waiting_mails")
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.get_state_display()})"
