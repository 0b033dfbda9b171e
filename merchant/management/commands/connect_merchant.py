"""Connects a merchant to PaySuper, with its owner. Repeatable: a second call updates."""

import zoneinfo
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from merchant import audit, setup
from merchant.paysuper.client import GENERATIONS, PREFIX

_CONNECTION = (
    "name api_url api_prefix generation api_token refresh_token token_url staff_token time_zone currency"
).split()


class Command(BaseCommand):
    """See the module."""

    help = (
        "Connect a merchant to PaySuper, with its owner. Run again to change the connection: "
        "what is left out then goes back to its default."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The connection and the owner."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id, help="24 hex digits")
        parser.add_argument("--name", required=True, type=setup.name)
        parser.add_argument("--api-url", default=settings.PAYSUPER_API_URL, type=setup.web_address)
        parser.add_argument("--api-token", required=True, type=setup.api_token)
        parser.add_argument(
            "--refresh-token", default="", type=setup.optional(setup.api_token), help="renews the API token"
        )
        parser.add_argument(
            "--token-url",
            default="",
            type=setup.optional(setup.token_address),
            help="where tokens are renewed; https://id:secret@host/path when the client has credentials",
        )
        parser.add_argument(
            "--staff-token",
            default="",
            type=setup.optional(setup.api_token),
            help="of an account of PaySuper's staff, which alone may replace activation keys",
        )
        parser.add_argument(
            "--generation", default=GENERATIONS[0], choices=GENERATIONS, help="of PaySuper's interface"
        )
        parser.add_argument(
            "--api-prefix", default=PREFIX, type=setup.api_prefix, help="/api/v1 before December 2019"
        )
        parser.add_argument("--owner-email", required=True, type=setup.email_address)
        parser.add_argument("--owner-password", required=True, type=setup.secret)
        parser.add_argument("--time-zone", default="UTC", help="such as Europe/Berlin")
        parser.add_argument("--currency", default="", type=setup.currency, help="three letters")

    def handle(self, *_: object, **options: Any) -> None:
        """Write the connection, or nothing at all when something is wrong with it."""
        if options["time_zone"] not in zoneinfo.available_timezones():
            raise CommandError(
                f"There is no time zone {options['time_zone']!r}; use a name such as Europe/Berlin."
            )
        with transaction.atomic():
            merchant = setup.connect(options["merchant_id"], **{name: options[name] for name in _CONNECTION})
            setup.add_member(merchant, options["owner_email"], options["owner_password"], "owner")
            audit.record(merchant, None, "merchant.connected", merchant.paysuper_id, api_url=merchant.api_url)
        self.stdout.write(
            f"{merchant.name} is connected to {merchant.api_url}; owner {options['owner_email']}."
        )
