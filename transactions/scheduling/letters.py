"""What stands in the mail of a run: a text, the same as HTML, and the file or the way to it."""

from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import storages
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from merchant import envelope
from transactions import exports
from transactions.models import Export, ScheduleMail


class FileGone(Exception):
    """The file is no longer kept."""


def letter(mail: ScheduleMail, export: Export) -> EmailMultiAlternatives:
    """The message: with the file attached if that is small (EXPORT_MAIL_ATTACHMENT), else with a link.

    The link asks for a sign-in in either case. Raises FileGone.
    """
    run, host = mail.run, urlsplit(settings.BASE_URL).hostname or "localhost"
    attached = (export.size or 0) <= settings.EXPORT_MAIL_ATTACHMENT
    context = {
        "run": run,
        "schedule": run.schedule,
        "export": export,
        "attached": attached,
        "sums": [
            exports.Sum(currency, status, count, Decimal(amount))
            for currency, status, count, amount in export.sums
        ],
        "link": settings.BASE_URL + reverse("transactions:export", args=[export.pk]),
        "schedule_link": settings.BASE_URL + reverse("transactions:schedule", args=[run.schedule_id]),
    }
    with timezone.override(mail.merchant.zone):
        due = f"{timezone.localtime(run.due_at):%Y-%m-%d}"
        text, html = (
            render_to_string(f"transactions/schedules/mail.{kind}", context) for kind in ("txt", "html")
        )
    message = envelope.write(
        mail.user.email,
        f"{envelope.one_line(run.schedule.name)}, {due}",
        text,
        html,
        # The same for every attempt, so that a second copy is known for one.
        headers={
            "Message-ID": f"<schedule-{mail.run_id}-{mail.user_id}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    if attached:
        file, kind = _content(export), exports.CONTENT_TYPES[export.format]
        envelope.attach(message, export.download_name, file, kind)
    return message


def _content(export: Export) -> bytes:
    try:
        with storages["exports"].open(export.file_name) as file:
            return bytes(file.read())
    except FileNotFoundError as error:
        raise FileGone("The file is no longer kept.") from error
