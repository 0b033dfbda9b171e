"""What customers are told by mail, and how a project's mails look."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from merchant.encryption import EncryptedTextField
from merchant.models import Merchant, Project
from transactions.models import Transaction


def new_token() -> str:
    """What nobody guesses: 192 random bits, as they may stand in an address."""
    return secrets.token_urlsafe(24)


class MailRule(models.Model):
    """Who mails a project's customers, and what the mails show.

    PaySuper does unless `mails_since` is set: what was paid, refunded and handed over since then we tell.
    """

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="mail_rule")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    mails_since = models.DateTimeField(null=True)
    shop_name = models.CharField(max_length=100, blank=True)
    support_email = models.EmailField(blank=True)
    # PNG, drawn anew by `receipts.logo` from what was uploaded.
    logo = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"{self.project}"

    @classmethod
    def of(cls, project: Project) -> "MailRule":
        """The project's rule; one that is not stored says what holds without."""
        found = cls.objects.filter(pk=project.pk).first()
        return found or cls(project=project, merchant_id=project.merchant_id)

    @property
    def we_mail(self) -> bool:
        """Whether customers get mails from us by themselves."""
        return self.mails_since is not None

    @property
    def sender(self) -> str:
        """The name that customers read."""
        return self.shop_name or self.project.name


class ReceiptPage(models.Model):
    """Where a customer reads the receipt of a payment or refund: at an address that nobody guesses."""

    transaction = models.OneToOneField(
        Transaction, models.CASCADE, primary_key=True, related_name="receipt_page"
    )
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    token = models.CharField(max_length=40, unique=True, default=new_token)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.transaction_id)

    @classmethod
    def of(cls, entry: Transaction) -> "ReceiptPage":
        """The page of a payment or refund, made when it is asked for first."""
        page, _ = cls.objects.get_or_create(transaction=entry, defaults={"merchant_id": entry.merchant_id})
        return page

    @property
    def address(self) -> str:
        """The whole address, as it stands in mails."""
        return f"{settings.BASE_URL}/receipts/{self.token}/"


class Message(models.Model):
    """A mail to a customer. Only `fulfillment.mailing` changes its state, which is drawn there.

    The row is the truth, tasks only ring. `key` says what it tells of, so that nothing is told twice.
    """

    class Kind(models.TextChoices):
        PAYMENT = "payment", "Receipt"
        REFUND = "refund", "Receipt of a refund"
        KEY = "key", "Activation key"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the key"
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Being sent"
        FAILED = "failed", "Failed, is tried again"
        SENT = "sent", "Sent"
        UNKNOWN = "unknown", "Perhaps sent"
        BOUNCED = "bounced", "Bounced"
        GAVE_UP = "gave_up", "Given up"
        STOPPED = "stopped", "Stopped"

    # Spelled out in the index below, since a condition in the database outlives the names in the code.
    OPEN: ClassVar = (State.WAITING, State.QUEUED, State.SENDING, State.FAILED)
    # Somebody should look at these.
    NOT_SENT: ClassVar = (State.UNKNOWN, State.BOUNCED, State.GAVE_UP)

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    # The order, also of what tells of its refund.
    transaction = models.ForeignKey(Transaction, models.CASCADE, related_name="mails")
    # The refund's own row.
    refund_uuid = models.UUIDField(null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    platform = models.CharField(max_length=50, blank=True)
    # Which items of the order the keys are of, as `fulfillment.items` names them.
    items: "models.JSONField[list[str]]" = models.JSONField(default=list)
    key = models.CharField(max_length=200, unique=True)

    recipient = models.CharField(max_length=320)
    locale = models.CharField(max_length=20, blank=True)
    # Written when the first try begins, so that every try says the same. Keys stand in them as marks.
    subject = models.CharField(max_length=300, blank=True)
    text = EncryptedTextField(blank=True)
    html = EncryptedTextField(blank=True)
    activation_keys = EncryptedTextField(blank=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    tries = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField()
    # When the mail server was about to be handed the letter, in the last try.
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=300, blank=True)
    # None: by itself.
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["try_at"],
                condition=Q(state__in=["waiting", "queued", "sending", "failed"]),
                name="message_waiting",
            ),
            models.Index(fields=["merchant", "-created_at", "-id"], name="message_newest"),
            models.Index(fields=["merchant", "state", "-created_at", "-id"], name="message_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def choice(self) -> str:
        """What to choose in the form to mail the same again."""
        detail = self.platform or (str(self.refund_uuid) if self.refund_uuid else "")
        return f"{self.kind}:{detail}" if detail else self.kind

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in self.OPEN
