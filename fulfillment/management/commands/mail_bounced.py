"""Notes that a mail came back, for whoever reads the bounces: a person, or a rule of the mail server."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fulfillment import mailing


class Command(BaseCommand):
    """See the module."""

    help = "Note that the mail with this Message-ID came back, which the bounce names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, and why."""
        parser.add_argument("--message-id", required=True)
        parser.add_argument("--reason", default="", help="in the bounce's words")

    def handle(self, *_: object, **options: Any) -> None:
        """Note it."""
        message = mailing.bounce(options["message_id"], options["reason"])
        if message is None:
            raise CommandError("This Message-ID is none of ours.")
        self.stdout.write(f"Message {message.pk}: {message.get_state_display()}")
