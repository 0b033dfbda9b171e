"""Gives a person a role with a merchant. Repeatable: a second call changes role and password."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from merchant import audit, people, setup
from merchant.models import Membership, Merchant, Role


class Command(BaseCommand):
    """See the module."""

    help = "Give a person a role with a merchant. Run again to change the role or the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The person and the role."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--email", required=True, type=setup.email_address)
        parser.add_argument("--password", required=True, type=setup.secret)
        parser.add_argument("--role", required=True, choices=Role.values)

    def handle(self, *_: object, **options: Any) -> None:
        """Write the membership."""
        merchant = setup.merchant(options["merchant_id"])
        with transaction.atomic():
            _keep_an_owner(merchant, options["email"], options["role"])
            membership = setup.add_member(merchant, options["email"], options["password"], options["role"])
            audit.record(merchant, None, "member.added", membership.user.email, role=membership.role)
        self.stdout.write(f"{membership.user.email} is {membership.get_role_display()} of {merchant.name}.")


def _keep_an_owner(merchant: Merchant, email: str, role: str) -> None:
    owners = people.lock_owners(merchant)
    was_owner = Membership.objects.filter(merchant=merchant, user__email=email, role=Role.OWNER).exists()
    if was_owner and owners == 1 and role != Role.OWNER:
        raise CommandError(str(people.LastOwner()))
