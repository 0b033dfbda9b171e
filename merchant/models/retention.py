"""How long a merchant keeps what is only of use for a while."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class RetentionRules(models.Model):
    """Days after which texts that tell of customers are dropped; null: never. Exports are always dropped.

    A merchant without a row has the defaults of the installation.
    """

    LONGEST, LONGEST_EXPORT, EXPORT_DAYS = 3650, 90, 7
    _DAYS: ClassVar = [MinValueValidator(1), MaxValueValidator(LONGEST)]

    merchant = models.OneToOneField("merchant.Merchant", models.CASCADE, related_name="retention_rules")
    webhook_days = models.PositiveSmallIntegerField(null=True, blank=True, validators=_DAYS)
    mail_days = models.PositiveSmallIntegerField(null=True, blank=True, validators=_DAYS)
    call_days = models.PositiveSmallIntegerField(null=True, blank=True, validators=_DAYS)
    export_days = models.PositiveSmallIntegerField(
        default=EXPORT_DAYS, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_EXPORT)]
    )

    def __str__(self) -> str:
        return f"Retention of {self.merchant_id}"

    @classmethod
    def of(cls, merchant_id: int) -> "RetentionRules":
        """The merchant's rules, or the defaults, which are not stored by this."""
        return cls.objects.filter(merchant=merchant_id).first() or cls(
            merchant_id=merchant_id,
            webhook_days=settings.RETENTION_WEBHOOK_DAYS or None,
            mail_days=settings.RETENTION_MAIL_DAYS or None,
            call_days=settings.RETENTION_CALL_DAYS or None,
        )
