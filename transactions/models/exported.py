"""Files made from the list."""

import datetime as dt
import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from merchant.models import Merchant, RetentionRules


class Export(models.Model):
    """A file of the list that somebody asked for, made by a worker and kept for a while.

    The row outlives the file, so that a file that somebody kept can still be told to be ours.
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        PDF = "pdf", "PDF"
        MONTHS = "zip", "PDFs by month"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        EXPIRED = "expired", "File dropped"

    LIFETIME = dt.timedelta(days=RetentionRules.EXPORT_DAYS)
    RECORD_LIFETIME = dt.timedelta(days=400)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="exports")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    format = models.CharField(max_length=4, choices=Format.choices)
    query = models.TextField(blank=True)
    # The instant that its periods, such as yesterday, are seen from; none means when it was asked for.
    seen_from = models.DateTimeField(null=True)
    # Whether the file says who the customers are: the role of the person who asks decides.
    personal = models.BooleanField(default=True)
    # The rows that were ticked; none means all that the query finds.
    selection = ArrayField(models.UUIDField(), default=list, blank=True)
    # Which columns in which order, and the dialect of a CSV: exports.Layout.
    layout = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    rows_total = models.PositiveBigIntegerField(null=True)
    # How often a worker has begun. The number also tells a worker that another one has taken over.
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    as_of = models.DateTimeField(null=True)
    filter_in_words = models.TextField(blank=True)
    control = models.CharField(max_length=14, blank=True)
    # Currency, status, number of rows and amount in major units, as the files have them.
    sums = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["merchant", "-created_at"], name="export_newest"),
            models.Index(fields=["merchant", "sha256"], name="export_sha256"),
            models.Index(fields=["merchant", "control"], name="export_control"),
        ]

    def __str__(self) -> str:
        return f"{self.get_format_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        """Whether there is still something to wait for."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def may_be_made_again(self) -> bool:
        """Whether there is no file and nobody is making one."""
        return self.state in (self.State.FAILED, self.State.CANCELED, self.State.EXPIRED)

    @property
    def is_on_paper(self) -> bool:
        """Whether the file has columns of its own."""
        return self.format in (self.Format.PDF, self.Format.MONTHS)

    @property
    def is_too_long(self) -> bool:
        """Whether it failed because its format holds no so many rows."""
        return self.state == self.State.FAILED and not self.sha256 and self.rows_total is not None

    @property
    def is_told(self) -> bool:
        """Whether it is known what the file says, which stays true when the file is gone."""
        return bool(self.sha256)

    @property
    def file_until(self) -> dt.datetime:
        """Until when the file is kept, as the merchant's rules are now."""
        days = RetentionRules.of(self.merchant_id).export_days
        return (self.finished_at or self.created_at) + dt.timedelta(days=days)

    @property
    def download_name(self) -> str:
        """The name under which a person finds the file again, with the time of the merchant's clock."""
        asked_at = self.created_at.astimezone(self.merchant.zone)
        return f"transactions-{asked_at:%Y-%m-%d-%H%M}.{self.format}"
