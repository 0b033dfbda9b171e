"""Application set-up."""

from django.apps import AppConfig


class MerchantConfig(AppConfig):
    """Makes the Celery application known before the first task is sent."""

    name = "merchant"

    def ready(self) -> None:
        """Load the Celery application, so that shared tasks find their broker."""
        from merchant import celery  # noqa: F401 - settings must be ready first
