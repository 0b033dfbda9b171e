"""People who sign in, and what they may be for a merchant."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac


class Role(models.TextChoices):
    """PaySuper's merchant roles, without their prefix `merchant_` (contract §4)."""

    OWNER = "owner", "Owner"
    DEVELOPER = "developer", "Developer"
    ACCOUNTING = "accounting", "Accounting"
    SUPPORT = "support", "Support"
    VIEW_ONLY = "view_only", "View only"


class UserManager(BaseUserManager["User"]):
    """Makes users, who are known by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """A person who may sign in with this address, in lower case, and password."""
        user = self.model(email=email.strip().lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by address, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractUser):
    """A person who signs in by e-mail."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    # Those of a person who has been read for a request (merchant.accounts.Backend).
    own_memberships: "list[Membership]"
    # Part of what every session of this person was made with: a higher number ends them all.
    sessions_ended = models.PositiveIntegerField(default=0, db_default=0)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def end_sessions(self) -> None:
        """Sign this person out everywhere, from their next click on."""
        User.objects.filter(pk=self.pk).update(sessions_ended=models.F("sessions_ended") + 1)
        self.refresh_from_db(fields=["sessions_ended"])

    def _get_session_auth_hash(self, secret: Any = None) -> str:
        made_with = f"{self.password}:{self.sessions_ended}"
        return salted_hmac("merchant.session", made_with, secret=secret, algorithm="sha256").hexdigest()


class CurrentManager(models.Manager["Membership"]):
    """Only those who work for their merchant today."""

    def get_queryset(self) -> models.QuerySet["Membership"]:
        """Without those who left: who forgets to ask must not let them in."""
        return super().get_queryset().filter(ended_at=None)


class Membership(models.Model):
    """What a person may do for a merchant. One that has ended is kept: its person may be let back in."""

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    merchant = models.ForeignKey("merchant.Merchant", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    # Of what it holds only the list knows (transactions.preferences).
    list_preferences = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[CurrentManager] = CurrentManager()
    with_ended: ClassVar[models.Manager["Membership"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "merchant"], name="one_membership_per_merchant")
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations in the words of the team's page."""

    def waiting(self) -> "InvitationQuerySet":
        """Neither accepted nor taken back; they may be too old."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> "InvitationQuerySet":
        """Those that can be accepted right now."""
        return self.waiting().filter(expires_at__gt=timezone.now())


class Invitation(models.Model):
    """A way into a merchant's team for whoever reads the mail of one address.

    Of the token in the mail's link only a hash is kept: who reads the database cannot accept anything.
    """

    merchant = models.ForeignKey("merchant.Merchant", models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=Role.choices)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    mail = models.ForeignKey("merchant.Mail", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["merchant", "email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_waiting_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.get_role_display()})"

    @property
    def is_too_old(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= timezone.now()
