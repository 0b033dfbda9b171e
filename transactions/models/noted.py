"""What staff wrote down about transactions."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from merchant.models import Merchant
from transactions.models.mirrored import Transaction


class Note(models.Model):
    """An internal remark about a transaction, never sent to PaySuper. A deleted one is kept, unseen."""

    LONGEST = 2000

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="notes")
    text = models.TextField(max_length=LONGEST)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    written_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-written_at", "-pk"]

    def __str__(self) -> str:
        return f"Note of {self.written_at:%Y-%m-%d %H:%M}"
