"""What the last look at a merchant's connection and its projects has found."""

from django.db import models

from merchant.models import Merchant, Project


class MirroredProject(models.Model):
    """A project as PaySuper has it (contract §9.1), as of `read_at`. Its secret is compared and not kept."""

    class State(models.IntegerChoices):
        DRAFT = 0, "Draft"
        TEST_PASSED = 1, "Test passed"
        TEST_FAILED = 2, "Test failed"
        PRODUCTION = 3, "Production"
        DELETED = 4, "Deleted"

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="at_paysuper")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    # PaySuper may invent others: they are kept and shown.
    status = models.IntegerField(choices=State.choices)
    webhook_url = models.TextField(blank=True)
    success_url = models.TextField(blank=True)
    fail_url = models.TextField(blank=True)
    callback_protocol = models.CharField(max_length=50, blank=True)
    # Whether our secret key is PaySuper's; null: one of the two is not known.
    secret_matches = models.BooleanField(null=True)
    is_listed = models.BooleanField(default=True)
    read_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.project}: {self.state}"

    @property
    def state(self) -> str:
        """Its state in words."""
        known = {int(each): str(each.label) for each in self.State}
        return known.get(self.status, f"Unknown state {self.status}")

    @property
    def is_in_production(self) -> bool:
        """Whether payments of this project are real."""
        return self.status == self.State.PRODUCTION


class Connection(models.Model):
    """What a merchant's token opens, as of the last look. Instants in UTC."""

    merchant = models.OneToOneField(Merchant, models.CASCADE, primary_key=True, related_name="connection")
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    # Of the merchant that PaySuper works for with this token, and the role there (contract §12).
    token_merchant = models.CharField(max_length=50, blank=True)
    role = models.CharField(max_length=50, blank=True)
    is_sandbox = models.BooleanField(null=True)

    def __str__(self) -> str:
        return f"{self.merchant}: {self.error or 'well'}"

    @property
    def is_failing(self) -> bool:
        """Whether the last look failed."""
        return bool(self.failed_at and (not self.succeeded_at or self.failed_at > self.succeeded_at))
