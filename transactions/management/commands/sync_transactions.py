"""Brings a merchant's orders into the mirror."""

import datetime as dt
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import setup, walls
from merchant.paysuper.errors import PaySuperError
from transactions import sync
from transactions.management.bars import bar

_YEARS = range(2000, 9999)


def instant(text: str) -> dt.datetime:
    """An ISO instant; without a zone it is UTC. Raises ArgumentTypeError."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an instant such as 2026-11-01T00:00:00Z") from None
    if moment.year not in _YEARS:
        raise ArgumentTypeError(f"no order was created in the year {moment.year}")
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


class Command(BaseCommand):
    """See the module."""

    help = "Bring a merchant's orders into the mirror: what is new, or all of them with --full."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and from when to when."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--full", action="store_true", help="from the first order on")
        parser.add_argument("--since", type=instant, help="created from this instant on")
        parser.add_argument("--until", type=instant, help="created up to this instant")

    def handle(self, *_: object, **options: Any) -> None:
        """Sync and say what came in."""
        merchant = setup.merchant(options["merchant_id"])
        try:
            with walls.only(merchant.pk), bar("orders") as progress:
                report = sync.sync(
                    merchant,
                    since=options["since"],
                    until=options["until"],
                    full=options["full"],
                    progress=progress,
                )
        except (PaySuperError, sync.AlreadyRunning) as error:
            raise CommandError(str(error)) from error
        for line in report.unreadable:
            self.stderr.write(f"cannot be read: {line}")
        self.stdout.write(f"{report.read} read, {report.added} new, {report.changed} changed.")
