"""How far the mirror has got."""

from typing import ClassVar

from django.db import models

from merchant.models import Merchant


class Walk(models.Model):
    """A way through the source by creation time that can be taken up where it broke off. Instants in UTC.

    "fill" brings all orders for the first time or anew; "rescan-N" reads those of the last N days again.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="walks")
    name = models.CharField(max_length=20)
    since = models.DateTimeField()
    until = models.DateTimeField()
    reached = models.DateTimeField()
    total = models.PositiveBigIntegerField(default=0)
    read = models.PositiveBigIntegerField(default=0)
    began_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "name"], name="one_walk_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.read} of {self.total}"


class SyncState(models.Model):
    """How far the mirror of a merchant has got. Instants in UTC."""

    merchant = models.OneToOneField(Merchant, models.CASCADE, primary_key=True, related_name="sync_state")
    synced_until = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    drift_checked_at = models.DateTimeField(null=True)
    drift_found = models.PositiveIntegerField(null=True)
    totals_zone = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.merchant}: {self.synced_until}"

    @property
    def is_failing(self) -> bool:
        """Whether the last try failed, so that the mirror shows the past."""
        return bool(self.failed_at and (not self.succeeded_at or self.failed_at > self.succeeded_at))
