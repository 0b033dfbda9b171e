"""Compares the mirror with PaySuper, order by order."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import setup
from merchant.paysuper.errors import PaySuperError
from transactions import sync


class Command(BaseCommand):
    """See the module."""

    help = (
        "Compare the mirror with PaySuper. Exit code 1 and a list when they differ, 2 when PaySuper is away."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--deep", action="store_true", help="compare the items of each order too")
        parser.add_argument(
            "--repair", action="store_true", help="write what PaySuper says where they differ"
        )

    def handle(self, *_: object, **options: Any) -> None:
        """Print each difference as it is found."""
        merchant, differences = setup.merchant(options["merchant_id"]), 0
        try:
            for line in sync.drift(merchant, deep=options["deep"], repair=options["repair"]):
                self.stdout.write(line)
                differences += 1
        except PaySuperError as error:
            raise CommandError(f"PaySuper could not be read to the end: {error}", returncode=2) from error
        if differences:
            raise CommandError(f"{differences} differences.")
        self.stdout.write("The mirror equals PaySuper.")
