"""Mails to the people who work here: a row first, the mail server later."""

import datetime as dt
import smtplib

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import timezone

from merchant import envelope, walls
from merchant.models import Mail, Merchant

log = structlog.get_logger()

# Of a worker that died with a mail in its hands nobody hears: then the mail goes out a second time.
_LEASE = dt.timedelta(minutes=5)
_WAITS = [dt.timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600, 4 * 3600, 12 * 3600)]


def write(merchant: Merchant | None, recipient: str, template: str, subject: str, **facts: object) -> Mail:
    """A mail of `merchant/mail/<template>`, as text and as HTML, that waits to be sent."""
    facts |= {"merchant": merchant, "base_url": settings.BASE_URL}
    return keep(
        merchant,
        recipient,
        subject,
        text=render_to_string(f"merchant/mail/{template}.txt", facts),
        html=render_to_string(f"merchant/mail/{template}.html", facts),
    )


def keep(merchant: Merchant | None, recipient: str, subject: str, *, text: str, html: str = "") -> Mail:
    """A mail that waits to be sent. Names in a subject cannot add headers to it."""
    said = envelope.one_line(subject)
    mail = Mail(merchant=merchant, recipient=recipient, subject=said, text=text, html=html)
    with walls.only(merchant.pk) if merchant else walls.nobody():
        mail.save(force_insert=True)
    return mail


def cancel(mail: Mail | None) -> None:
    """Make sure that a mail which still waits is not sent."""
    if mail:
        _end(mail, Mail.State.CANCELED)


def send(mail_id: int) -> None:
    """Hand a waiting mail to the mail server. What fails is tried again later, for about a day."""
    now = timezone.now()
    mine = Mail.objects.filter(pk=mail_id, state=Mail.State.WAITING, try_at__lte=now)
    if not mine.update(try_at=now + _LEASE, tries=F("tries") + 1):
        return
    mail = Mail.objects.get(pk=mail_id)
    try:
        envelope.write(mail.recipient, mail.subject, mail.text, mail.html).send()
    except ValidationError as error:
        # No other time will do.
        _end(mail, Mail.State.GIVEN_UP, error=type(error).__name__)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        _try_later(mail, error)
    else:
        _end(mail, Mail.State.SENT)


def due() -> list[int]:
    """Mails that somebody should send now."""
    waiting = Mail.objects.filter(state=Mail.State.WAITING, try_at__lte=timezone.now())
    return list(waiting.order_by("try_at").values_list("pk", flat=True)[:100])


def _try_later(mail: Mail, error: Exception) -> None:
    # What a mail server says may repeat what it was given.
    log.warning("mail_not_sent", mail=mail.pk, tries=mail.tries, error=type(error).__name__)
    said = {"error": type(error).__name__}
    if mail.tries > len(_WAITS):
        _end(mail, Mail.State.GIVEN_UP, **said)
    else:
        waiting = Mail.objects.filter(pk=mail.pk, state=Mail.State.WAITING)
        waiting.update(try_at=timezone.now() + _WAITS[mail.tries - 1], **said)


def _end(mail: Mail, state: Mail.State, **said: str) -> None:
    waiting = Mail.objects.filter(pk=mail.pk, state=Mail.State.WAITING)
    waiting.update(state=state, ended_at=timezone.now(), text="", html="", **said)
