"""Orders whose customer has been forgotten."""

from django.db import models

from merchant.models import Merchant


class ErasedOrder(models.Model):
    """An order, or a refund of one, whose customer asked to be forgotten: no reading brings the person back.

    Says nothing of the person. Not tied to the order's row, so that it also holds for one that comes later.
    """

    uuid = models.UUIDField(primary_key=True)
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    erased_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.uuid)
