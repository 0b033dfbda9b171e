"""How the status of a mirrored order changed. Only `transactions.mirror` adds to it."""

from typing import ClassVar

from django.db import models

from merchant.models import Merchant
from transactions.models.mirrored import Status, Transaction


class StatusChange(models.Model):
    """One change of an order's status, as the mirror learned it. Rows are only ever added.

    `at` is when the read was sent that brought the news: PaySuper does not tell when it happened there.
    """

    class Cause(models.TextChoices):
        READING = "reading", "Seen on reading PaySuper's orders"
        WEBHOOK = "webhook", "Read again after a webhook"
        REFUND = "refund", "Read again while a refund was under way"

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="status_changes")
    before = models.CharField(max_length=20, choices=Status.choices)
    after = models.CharField(max_length=20, choices=Status.choices)
    cause = models.CharField(max_length=10, choices=Cause.choices)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
