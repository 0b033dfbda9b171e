"""Takes the second factor from somebody who has lost it, so that they can set up another one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from merchant import second_factor, setup
from merchant.celery import ring
from merchant.models import User
from merchant.tasks import send_mail


class Command(BaseCommand):
    """See the module."""

    help = (
        "Remove a person's authenticator app, passkeys and recovery codes, sign them out everywhere, and "
        "tell them by mail. Make sure first that it is them who ask: the password alone signs in afterwards."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("email", type=setup.email_address, metavar="EMAIL", help="of the person")

    def handle(self, *_: object, **options: Any) -> None:
        """Reset. Raises CommandError for somebody unknown, or without a second factor."""
        user = User.objects.filter(email=options["email"]).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        mail = second_factor.reset(user)
        if mail is None:
            raise CommandError(f"{user.email} has no second factor: nothing was changed.")
        ring(send_mail, mail.pk)
        self.stdout.write(f"{user.email} signs in with the password alone, and is told so by mail.")
