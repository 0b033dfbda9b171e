"""What a person has to note before going live."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from merchant.models import Merchant


class BackupNote(models.Model):
    """Somebody says that a backup was taken, when, and where it lies."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="backup_notes")
    taken_on = models.DateField()
    place = models.CharField(max_length=200)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    noted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-taken_on", "-pk"]

    def __str__(self) -> str:
        return f"{self.taken_on}: {self.place}"
