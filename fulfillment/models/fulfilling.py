"""How a project's orders are fulfilled, who is on which, and which items have been handed over."""

import datetime as dt
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from fulfillment.models.acting import Action
from merchant.encryption import EncryptedTextField
from merchant.models import Merchant, Project
from transactions.models import Transaction


class FulfilmentRule(models.Model):
    """What a project promises its customers, and whether its paid orders are fulfilled without hands.

    Orders paid since `automatic_since` are; None is off. With a `server_url` that server has to take them.
    """

    PROMISE_HOURS, CLAIM_MINUTES = 24, 15

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="fulfilment_rule")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    promise_hours = models.PositiveIntegerField(
        default=PROMISE_HOURS, validators=[MinValueValidator(1), MaxValueValidator(24 * 90)]
    )
    claim_minutes = models.PositiveIntegerField(
        default=CLAIM_MINUTES, validators=[MinValueValidator(1), MaxValueValidator(24 * 60)]
    )
    automatic_since = models.DateTimeField(null=True)
    server_url = models.CharField(max_length=500, blank=True)
    server_secret = EncryptedTextField(blank=True)

    def __str__(self) -> str:
        return f"{self.project}"

    @classmethod
    def of(cls, project: Project) -> "FulfilmentRule":
        """The project's rule; one that is not stored says what holds without."""
        found = cls.objects.filter(pk=project.pk).first()
        return found or cls(project=project, merchant_id=project.merchant_id)

    @property
    def is_automatic(self) -> bool:
        """Whether paid orders are fulfilled without hands."""
        return self.automatic_since is not None

    @property
    def promise(self) -> dt.timedelta:
        """How long after the payment an order is overdue."""
        return dt.timedelta(hours=self.promise_hours)


class FulfilledItem(models.Model):
    """An item of an order that has been handed over.

    Known by its product and by which of that product's items it is (0 for the first): the mirror writes its
    items anew whenever an order is read in another state, so neither their ids nor their positions last.
    """

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="fulfilled_items")
    action = models.ForeignKey(Action, models.CASCADE, related_name="fulfilled_items")
    product_id = models.CharField(max_length=50)
    number = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["transaction", "product_id", "number"], name="an_item_is_fulfilled_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product_id} {self.number}"


class Claim(models.Model):
    """Somebody is fulfilling this order, until the moment `until` at most."""

    transaction = models.OneToOneField(Transaction, models.CASCADE, primary_key=True, related_name="claim")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user} until {self.until}"
