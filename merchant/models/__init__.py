"""People, merchants, projects and memberships."""

import zoneinfo
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone

from merchant.audited import AuditEvent, AuditHead
from merchant.encryption import EncryptedTextField
from merchant.models.mails import Mail
from merchant.models.people import Invitation, Membership, Role, User, UserManager
from merchant.models.retention import RetentionRules
from merchant.paysuper.client import GENERATIONS, PREFIX

__all__ = [
    "AuditEvent",
    "AuditHead",
    "Invitation",
    "Mail",
    "Membership",
    "Merchant",
    "Project",
    "RefundRules",
    "RetentionRules",
    "Role",
    "User",
    "UserManager",
]


class Merchant(models.Model):
    """A merchant of PaySuper and our connection to its account."""

    SECRETS: ClassVar = ("api_token", "refresh_token", "token_url", "staff_token")

    paysuper_id = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=200)
    api_url = models.URLField(max_length=500)
    api_prefix = models.CharField(max_length=100, default=PREFIX)
    generation = models.CharField(max_length=4, default=GENERATIONS[0], choices=[(g, g) for g in GENERATIONS])
    api_token = EncryptedTextField()
    token_expires_at = models.DateTimeField(null=True, blank=True)
    refresh_token = EncryptedTextField(blank=True)
    # Encrypted, since it may hold the secret of the OAuth2 client.
    token_url = EncryptedTextField(blank=True)
    # Of an account of PaySuper's staff, which alone may replace activation keys (contract §8.1).
    staff_token = EncryptedTextField(blank=True, db_default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, blank=True)
    # Who signs in with a second factor or sets one up first.
    second_factor_roles = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone in which this merchant's days begin and end."""
        return zoneinfo.ZoneInfo(self.time_zone)


class Project(models.Model):
    """A game or shop of a merchant. Webhooks arrive and are signed per project (contract §9.1, §13.3)."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="projects")
    paysuper_id = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=200)
    secret_key = EncryptedTextField(blank=True)
    secret_since = models.DateTimeField(null=True)
    # The secret before this one: what it has signed is taken until then. See merchant.projects.
    previous_secret = EncryptedTextField(blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    takes_webhooks = models.BooleanField(default=True)
    # Our answer to `user.validate`: whether a customer may pay (contract §13.9).
    admits_customers = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def second_secret(self) -> str:
        """The previous secret while it is still good, else ""."""
        until = self.previous_secret_until
        return self.previous_secret if until and timezone.now() < until else ""


class RefundRules(models.Model):
    """How a merchant wants refunds to be handled. A merchant without a row has these defaults.

    A limit is an amount in `limit_currency` above which somebody of that role needs the approval of a
    second person; null: never. `allows_parts` says that PaySuper honours the amount of a refund, which
    only those of 2019 do (contract §7.1).
    """

    LONGEST_UNDO = 600

    merchant = models.OneToOneField(Merchant, models.CASCADE, related_name="refund_rules")
    undo_seconds = models.PositiveSmallIntegerField(default=10)
    limit_currency = models.CharField(max_length=3, blank=True)
    limit_owner = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    limit_developer = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    limit_support = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    allows_parts = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            # Far below the time after which the broker hands a waiting task out again.
            models.CheckConstraint(condition=models.Q(undo_seconds__lte=600), name="undo_within_ten_minutes")
        ]

    def __str__(self) -> str:
        return f"Refund rules of {self.merchant}"

    @classmethod
    def of(cls, merchant: Merchant) -> "RefundRules":
        """The merchant's rules, or the defaults, which are not stored by this."""
        return cls.objects.filter(merchant=merchant).first() or cls(
            merchant=merchant, limit_currency=merchant.currency
        )

    def limit_of(self, role: str) -> Decimal | None:
        """Above which amount this role needs a second person; None: never."""
        limit: Decimal | None = getattr(self, f"limit_{role}", None)
        return limit

    @property
    def honours_parts(self) -> bool:
        """Whether a part of the charge may be asked for."""
        return self.allows_parts and self.merchant.generation == "2019"
