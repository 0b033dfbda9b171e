"""The record of who did what, as the database keeps it: a chain of hashes for each merchant."""

from typing import ClassVar

from django.db import models


class AuditEvent(models.Model):
    """One thing that somebody did. Append-only: the database refuses changes and deletions.

    `number`, `previous_hash` and `hash` are the database's own doing, at the end of the transaction that
    wrote the row (see the migration "the audit is a chain").
    """

    merchant = models.ForeignKey("merchant.Merchant", models.PROTECT, related_name="audit_events")
    user = models.ForeignKey("merchant.User", models.PROTECT, null=True, related_name="+")
    event = models.CharField(max_length=60)
    subject = models.CharField(max_length=100)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)
    # Of the request that led here, also when a worker did the work.
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    # From 1 on, without gaps, in the order in which the merchant's transactions ended.
    number = models.BigIntegerField(null=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "number"], name="one_audit_event_per_number")
        ]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "subject", "at"]),
            models.Index(fields=["merchant", "-id"], name="audit_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.subject}"


class AuditHead(models.Model):
    """The end of a merchant's chain, by which a cut tail is noticed. Written by the database alone.

    Rows before `kept_from` have been dropped when their time was over; the last of them had `kept_hash`.
    """

    merchant = models.OneToOneField("merchant.Merchant", models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField()
    hash = models.CharField(max_length=64, blank=True)
    kept_from = models.BigIntegerField(default=1, db_default=1)
    kept_hash = models.CharField(max_length=64, blank=True, db_default="")

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"
