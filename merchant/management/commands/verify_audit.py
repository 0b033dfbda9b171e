"""Recomputes the audit's chains. Ends with 1 and says where when one does not hold."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import setup
from merchant.audit import chain
from merchant.models import Merchant

_HEAD = re.compile(r"[0-9]{1,18}:([0-9a-f]{64})?")


def noted_head(text: str) -> str:
    """The end of a chain as this command prints it. Raises ArgumentTypeError."""
    if not _HEAD.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is not the end of a chain such as 12:9f2c…")
    return text


class Command(BaseCommand):
    """See the module."""

    help = "Check that nothing in the audit was changed, put in, taken out or cut off since it was written."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One merchant or all of them, and an end that was noted earlier."""
        parser.add_argument("--merchant-id", type=setup.paysuper_id)
        parser.add_argument(
            "--expect",
            type=noted_head,
            metavar="NUMBER:HASH",
            help="an end of the chain that was printed earlier and kept elsewhere; needs --merchant-id",
        )

    def handle(self, *_: object, **options: Any) -> None:
        """Check each chain; a line for each. Raises CommandError (exit 1) when one does not hold."""
        chosen, noted = options["merchant_id"], options["expect"]
        if noted and not chosen:
            raise CommandError("--expect is about one chain: give --merchant-id too.")
        merchants = [setup.merchant(chosen)] if chosen else Merchant.objects.order_by("pk")
        broken = [merchant for merchant in merchants if not self._holds(merchant, noted)]
        if broken:
            raise CommandError(f"The audit of {', '.join(map(str, broken))} is not what was written.")

    def _holds(self, merchant: Merchant, noted: str | None) -> bool:
        found = [str(each) for each in chain.breaks(merchant)]
        if noted and not chain.still_has(merchant, noted):
            found.append(f"The chain never came by {noted}: it was written anew.")
        for each in found:
            self.stderr.write(f"{merchant} ({merchant.paysuper_id}): {each}")
        if not found:
            self.stdout.write(f"{merchant} ({merchant.paysuper_id}): holds, ends with {chain.head(merchant)}")
        return not found
