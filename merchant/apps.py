"""Application set-up."""

from django.apps import AppConfig
from django.conf import settings


class MerchantConfig(AppConfig):
    """Makes the Celery application known before the first task is sent."""

    name = "merchant"

    def ready(self) -> None:
        """Load the Celery application, so that shared tasks find their broker; begin to report."""
        from merchant import celery, reporting  # noqa: F401 - settings must be ready first

        reporting.start(settings.SENTRY_DSN, settings.OTEL_EXPORTER_OTLP_ENDPOINT)
