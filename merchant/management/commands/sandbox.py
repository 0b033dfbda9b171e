"""`manage.py sandbox`: a PaySuper to try and test against."""

import argparse
import gc
import signal
import sys
import threading
from datetime import UTC, datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.sandbox.journal import JournalError

_COLLECT_AFTER = 100_000


class Command(BaseCommand):
    """Runs the sandbox until it is told to stop."""

    help = "Runs a PaySuper to try and test against. Needs neither database nor broker."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Options with defaults that are good for a first look."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8400)
        parser.add_argument("--orders", type=int, default=2000, help="orders to start with")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same orders")
        parser.add_argument("--days", type=int, default=90, help="days that those orders span")
        parser.add_argument("--until", type=_moment, default=0, help="newest moment, ISO (default: now)")
        parser.add_argument("--state", default="", help="journal file; a restart continues from it")
        parser.add_argument("--refund-delay", type=float, default=3, help="seconds until a refund ends")
        parser.add_argument("--webhook-url", default="", help="template with {project_id}; blank: none")
        parser.add_argument("--webhook-retry-interval", type=float, default=600, help="seconds")
        parser.add_argument("--payments-per-minute", type=float, default=0, help="arriving by themselves")
        parser.add_argument(
            "--generation", type=int, choices=(2021, 2019), default=2021, help="of PaySuper's API"
        )
        parser.add_argument(
            "--token-life", type=float, default=0, help="seconds until an issued access token ends; 0: never"
        )

    def handle(self, *_args: object, **options: object) -> None:
        """Starts, says where, waits for SIGTERM or SIGINT, stops."""
        sandbox = Sandbox(**{name: options[name] for name in Sandbox.option_names()})
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            sandbox.start()
        except (OSError, JournalError) as error:
            raise CommandError(f"The sandbox cannot start: {error}.") from error
        # Nothing of its world ever becomes garbage: looking for that took a fifth of the time of long lists.
        gc.freeze()
        gc.set_threshold(_COLLECT_AFTER)
        for name, (asked, in_force) in sandbox.differences().items():
            self.stdout.write(f"The journal wins: --{name} is {in_force}, not {asked}.")
        self.stdout.write(f"Sandbox PaySuper is ready at {sandbox.url}")
        sys.stdout.flush()
        stop.wait()
        sandbox.stop()


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO date") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
