"""Makes a project known with its webhook secret. Repeatable: a second call updates."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from merchant import audit, setup


class Command(BaseCommand):
    """See the module."""

    help = "Make a project known, so that its webhooks are accepted. Run again to change its name or secret."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The project and its secret."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--project-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--name", required=True, type=setup.name)
        parser.add_argument("--secret-key", required=True, type=setup.secret)

    def handle(self, *_: object, **options: Any) -> None:
        """Write the project and say where its webhooks belong."""
        merchant = setup.merchant(options["merchant_id"])
        with transaction.atomic():
            project = setup.connect_project(
                merchant, options["project_id"], name=options["name"], secret_key=options["secret_key"]
            )
            audit.record(merchant, None, "project.connected", project.paysuper_id)
        address = f"{settings.BASE_URL}/webhooks/paysuper/{project.paysuper_id}/"
        self.stdout.write(f"{project.name} is connected. Its webhook address: {address}")
