"""Files made from the list."""

import datetime as dt
import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from merchant.models import Merchant


class Export(models.Model):
    """A file of the list that somebody asked for, made by a worker and kept for a while."""

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"
        PDF = "pdf", "PDF"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    LIFETIME = dt.timedelta(days=7)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="exports")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    format = models.CharField(max_length=4, choices=Format.choices)
    query = models.TextField(blank=True)
    # Whether the file says who the customers are: the role of the person who asks decides.
    personal = models.BooleanField(default=True)
    # The rows that were ticked; none means all that the query finds.
    selection = ArrayField(models.UUIDField(), default=list, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    rows_total = models.PositiveBigIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=200, blank=True)
    size = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    as_of = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [models.Index(fields=["merchant", "-created_at"], name="export_newest")]

    def __str__(self) -> str:
        return f"{self.get_format_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_under_way(self) -> bool:
        """Whether there is still something to wait for."""
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def download_name(self) -> str:
        """The name under which a person finds the file again."""
        return f"transactions-{self.created_at:%Y-%m-%d-%H%M}.{self.format}"
