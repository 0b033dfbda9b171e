"""Writes an export of the list from a shell."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import setup, walls
from transactions import exporting, exports
from transactions.management.bars import bar
from transactions.models import Export


class Command(BaseCommand):
    """See the module."""

    help = "Write the list with a query, such as status=processed&period=last_month, to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to write, and where to."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--format", required=True, choices=Export.Format.values)
        parser.add_argument("--query", default="", help="as in the address of the list")
        parser.add_argument("--output", required=True, type=Path)

    def handle(self, *_: object, **options: Any) -> None:
        """Write the file, with a counter while a person is watching."""
        merchant = setup.merchant(options["merchant_id"])
        try:
            with walls.only(merchant.pk), bar("rows") as progress:
                written = exporting.write(
                    merchant,
                    options["query"],
                    options["format"],
                    options["output"],
                    "the command line",
                    progress,
                )
        except (ValueError, exports.TooManyRows, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{written.rows} rows in {options['output']}")
        self.stdout.write(f"Control code {written.control}")
        self.stdout.write(f"SHA-256 {written.sha256}")
