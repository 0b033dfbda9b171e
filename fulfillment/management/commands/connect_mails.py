"""Sets up the mails of a project without a browser."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from fulfillment.mailing.begin import address_trouble
from fulfillment.models import MailRule
from merchant import audit, setup
from merchant.models import Project


class Command(BaseCommand):
    """See the module."""

    help = "Say who mails receipts and keys to a project's customers: PaySuper, or we. Repeatable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and how."""
        parser.add_argument("--merchant-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--project-id", required=True, type=setup.paysuper_id)
        parser.add_argument("--who", required=True, choices=["we", "paysuper"])
        parser.add_argument("--shop-name", default="", help="empty: the name of the project")
        parser.add_argument("--support-email", default="", help="where customers may ask")

    def handle(self, *_: object, **options: Any) -> None:
        """Keep it; what was paid before mailing was switched on stays PaySuper's to tell."""
        merchant = setup.merchant(options["merchant_id"])
        project = Project.objects.filter(merchant=merchant, paysuper_id=options["project_id"]).first()
        if project is None:
            raise CommandError("This merchant has no such project: run connect_project first.")
        if options["support_email"] and (trouble := address_trouble(options["support_email"])):
            raise CommandError(trouble)
        rule = MailRule.of(project)
        rule.mails_since = (rule.mails_since or timezone.now()) if options["who"] == "we" else None
        rule.shop_name = " ".join(options["shop_name"].split())[:100]
        rule.support_email = options["support_email"]
        rule.save()
        audit.record(merchant, None, "mail_rule.changed", project.paysuper_id, we_mail=rule.we_mail)
        self.stdout.write(f"{project}: {'we mail' if rule.we_mail else 'PaySuper mails'}.")
