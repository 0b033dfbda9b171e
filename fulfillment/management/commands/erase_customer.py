"""Forgets a customer who asked for it. Says what would go, and does it only with the confirmation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from fulfillment import erasing
from merchant import setup


class Command(BaseCommand):
    """See the module."""

    help = "Take everything that says who a customer is out of the orders; amounts and sums stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose customer, which one, and the confirmation."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--customer", required=True, type=setup.secret, help="e-mail address or ID")
        parser.add_argument("--confirm", default="", help="“ERASE n”, n as found")

    def handle(self, *_: object, **options: Any) -> None:
        """Find, ask for the confirmation, forget. Raises CommandError without it, and before its time."""
        merchant, customer = setup.merchant(options["merchant_id"]), options["customer"].strip()
        found = erasing.found(merchant, customer)
        if not found.orders:
            raise CommandError("No order is known of this customer.")
        if options["confirm"] != found.phrase:
            raise CommandError(
                f"{found.orders} entries are of this customer. This cannot be undone: run it again with "
                f"--confirm '{found.phrase}'."
            )
        try:
            erased = erasing.erase(merchant, customer)
        except erasing.NotYet as reason:
            raise CommandError(f"{reason} Run it again when that has ended; nothing was changed.") from None
        self.stdout.write(
            f"Forgotten in {erased.orders} entries, {erased.webhooks} webhooks and {erased.mails} mails."
        )
