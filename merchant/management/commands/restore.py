"""Brings a backup back, into a database in which nothing is."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from merchant import backups
from merchant.walls import building


class Command(BaseCommand):
    """See the module."""

    help = "Read a file of `backup` into an empty database: all of it or nothing. Stop all processes first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where from."""
        parser.add_argument("file", type=Path)

    def handle(self, *_: object, **options: Any) -> None:
        """Restore, then migrate to what this version wants. Raises CommandError."""
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        if found := backups.tables():
            raise CommandError(
                f"The database is not empty ({found[0]} and {len(found) - 1} more tables): "
                "make a new one, and point DATABASE_URL there."
            )
        building.make_role()
        # pg_trgm comes with the file.
        backups.run(
            backups.program("pg_restore"),
            ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
             "--dbname", connection.settings_dict["NAME"], options["file"]],
        )  # fmt: skip
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"{len(backups.tables())} tables are back. Check with manage.py verify_audit.")
