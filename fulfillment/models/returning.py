"""The pages that customers come back to after paying."""

from typing import ClassVar

from django.db import models

from merchant.models import Merchant, Project


class ReturnPage(models.Model):
    """Whether a project shows its customers a page after the payment, and where they go from there."""

    project = models.OneToOneField(Project, models.CASCADE, primary_key=True, related_name="return_page")
    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    is_open = models.BooleanField(default=False)
    shop_url = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"{self.project}: {'open' if self.is_open else 'closed'}"

    @classmethod
    def of(cls, project: Project) -> "ReturnPage":
        """The project's page; one that is not stored is closed."""
        found = cls.objects.filter(pk=project.pk).first()
        return found or cls(project=project, merchant_id=project.merchant_id)


class ReturnToken(models.Model):
    """Whose order it is that somebody with this token may see. The token itself is not kept."""

    merchant = models.ForeignKey(Merchant, models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    order_uuid = models.UUIDField()
    noted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "digest"], name="one_order_per_return_token")
        ]
        indexes: ClassVar = [models.Index(fields=["noted_at"], name="return_token_age")]

    def __str__(self) -> str:
        return str(self.order_uuid)
