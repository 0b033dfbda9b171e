"""Application set-up."""

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class MerchantConfig(AppConfig):
    """Makes the Celery application known before the first task is sent."""

    name = "merchant"

    def ready(self) -> None:
        """Load the Celery application, so that shared tasks find their broker; report; wall off."""
        from merchant import celery, reporting, safety, second_factor  # noqa: F401 - settings must be ready first
        from merchant.walls import building, statements

        connection_created.connect(statements.put_up)
        pre_migrate.connect(building.make_way, sender=self)
        post_migrate.connect(building.build, sender=self)
        second_factor.note_changes()
        checks.register(safety.open_doors, checks.Tags.security, deploy=True)
        reporting.start(settings.SENTRY_DSN, settings.OTEL_EXPORTER_OTLP_ENDPOINT)
