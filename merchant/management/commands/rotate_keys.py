"""Encrypts everything anew under the newest of ENCRYPTION_KEYS. May be stopped and run again at any time."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import rotation


class Command(BaseCommand):
    """See the module."""

    help = (
        "Encrypt everything anew under the first of ENCRYPTION_KEYS. Put the new key before the old ones, "
        "restart every process, run this, and remove the old ones when it has ended well."
    )

    def handle(self, *_: object, **__: Any) -> None:
        """Go through every place. Raises CommandError (exit 1) when something cannot be read."""
        lost = {}
        for place in rotation.places():
            count = rotation.Count()
            for count in rotation.rotate(place):
                self._tell(f"{place}: {count.looked_at} looked at …")
            self.stdout.write(f"{place}: {count.looked_at} looked at, {count.renewed} encrypted anew")
            if count.unreadable:
                lost[str(place)] = count.unreadable
        if lost:
            raise CommandError(
                "No key opens "
                + ", ".join(f"{count} of {place}" for place, count in lost.items())
                + ": keep every old key, and bring back the one that is missing."
            )
        self.stdout.write("Everything is under the newest key: the older ones can be removed.")

    def _tell(self, words: str) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"\r{words}\r", ending="")
