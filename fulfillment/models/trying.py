"""Test payments that people ask for at a sandbox."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from merchant.encryption import EncryptedTextField
from merchant.models import Merchant, Project


class TestPayment(models.Model):
    """A payment that somebody wanted to see go through. Without a `card` a person pays at the checkout."""

    __test__ = False  # is no test of ours

    class Kind(models.TextChoices):
        SIMPLE = "simple", "A sum of money"
        PRODUCT = "product", "A product"
        KEY = "key", "An activation key"

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        SENDING = "sending", "Being made"
        MADE = "made", "Made"
        FAILED = "failed", "Not made"
        UNKNOWN = "unknown", "PaySuper did not answer"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="test_payments")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.SIMPLE)
    card = models.CharField(max_length=19, blank=True)
    amount = models.DecimalField(max_digits=12, decimal_places=3)
    currency = models.CharField(max_length=3)
    return_token = EncryptedTextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    order_uuid = models.UUIDField(null=True)
    outcome = models.CharField(max_length=300, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["state", "requested_at"], name="test_payment_waiting")]

    def __str__(self) -> str:
        return f"{self.card or 'by hand'} {self.state}"
