"""Writes the whole database into one file, as of one moment, while everything goes on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from merchant import backups


class Command(BaseCommand):
    """See the module."""

    help = "Write the database into a file for `restore`. Not encrypted: who customers are stands in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to."""
        parser.add_argument("file", nargs="?", type=Path, help="default: dashboard-DATE-TIME.dump here")

    def handle(self, *_: object, **options: Any) -> None:
        """Write, under another name until the file is whole. Raises CommandError, and leaves nothing then."""
        file = options["file"] or Path(f"dashboard-{timezone.now():%Y%m%d-%H%M%S}.dump")
        if file.exists():
            raise CommandError(f"{file} exists: choose another name.")
        pg_dump = backups.program("pg_dump")
        half = file.with_name(f"{file.name}.part")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        backups.run(
            pg_dump,
            ["--format=custom", "--no-owner", "--no-privileges", "--file", half],
            half,
        )
        half.rename(file)
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes. Keep ENCRYPTION_KEYS too, elsewhere.")
