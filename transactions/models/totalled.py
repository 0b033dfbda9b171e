"""Sums that are kept beside the mirror. Only `transactions.mirror` writes them."""

from typing import ClassVar

from django.db import models

from merchant.models import Merchant, Project
from transactions.models.mirrored import RowType, Status


class Total(models.Model):
    """How many entries of a kind a project had in some time of the merchant's zone, and their charges."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    type = models.CharField(max_length=20, choices=RowType.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    currency = models.CharField(max_length=10)
    count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=25, decimal_places=4)

    class Meta:
        abstract = True


class DailyTotal(Total):
    """Of one day."""

    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "project", "day", "type", "status", "currency"], name="one_total_per_day"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["merchant", "day"], name="total_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.status} {self.amount} {self.currency}"


class MonthlyTotal(Total):
    """Of all days of a month, by its first day: so that years are added up as quickly as weeks."""

    month = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "project", "month", "type", "status", "currency"],
                name="one_total_per_month",
            )
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.status} {self.amount} {self.currency}"
