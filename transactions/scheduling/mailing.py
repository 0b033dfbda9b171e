"""The mails of a run: sent once its file is ready, again after trouble, never to somebody without right."""

import datetime as dt
import smtplib
from collections.abc import Iterator
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from merchant import audit
from merchant.models import Membership
from transactions.models import Export, ScheduleMail
from transactions.scheduling import letters, people

log = structlog.get_logger()
State = ScheduleMail.State

# Longer than the task may run: after that its worker is dead.
_DEAD_AFTER = dt.timedelta(minutes=12)
# After so many seconds it is tried again; two days in all.
_WAITS = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
_OPEN = (State.WAITING, State.SENDING)
_REFUSED_FOR_GOOD = 500


def waiting_mails() -> Iterator[int]:
    """Mails whose time has come: their file is there."""
    found = ScheduleMail.objects.filter(state__in=_OPEN, try_at__lte=timezone.now())
    yield from found.filter(run__export__state=Export.State.READY).values_list("pk", flat=True)


def ready_mails(export_id: UUID) -> Iterator[int]:
    """Those of one export."""
    found = ScheduleMail.objects.filter(state=State.WAITING, run__export=export_id)
    yield from found.filter(run__export__state=Export.State.READY).values_list("pk", flat=True)


def send(mail_id: int) -> None:
    """Send a mail, unless somebody else is sending it or its person may not have it any more.

    A worker that dies between the server's yes and ours leaves a mail that goes out twice, with the same
    Message-ID.
    """
    found = ScheduleMail.objects.select_related(
        "merchant", "user", "run__schedule__owner", "run__export__merchant", "run__export__requested_by"
    )
    mail = found.filter(pk=mail_id).first()
    export = mail.run.export if mail else None
    if mail is None or export is None or export.state != Export.State.READY or not _claim(mail):
        return
    if why_not := people.why_not(export, mail.user):
        _finish(mail, State.DROPPED, error=why_not)
        return
    try:
        letters.letter(mail, export).send()
    except letters.FileGone as error:
        _finish(mail, State.FAILED, error=str(error))
    except ValidationError:
        _later(mail, "This is not an e-mail address.", for_good=True)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, answer), *_] = error.recipients.values()
        why = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
        _later(mail, f"The address was refused: {code} {why}", for_good=code >= _REFUSED_FOR_GOOD)
    except Exception as error:  # noqa: BLE001 - of a backend or a storage of any kind
        _later(mail, f"{type(error).__name__}: {error}")
    else:
        with transaction.atomic():
            if _finish(mail, State.SENT, error="", sent_at=timezone.now()):
                said = {"to": mail.user_id, "schedule": mail.run.schedule_id}
                audit.record(mail.merchant, None, "export.mailed", export.pk, **said)


def send_again(mail: ScheduleMail, membership: Membership) -> bool:
    """Have a mail sent that has not been sent; False if it was, or is on its way."""
    with transaction.atomic():
        mine = ScheduleMail.objects.filter(pk=mail.pk, state__in=[State.FAILED, State.DROPPED])
        again = mine.update(state=State.WAITING, attempts=0, error="", try_at=timezone.now(), told_at=None)
        if again:
            said = {"to": mail.user_id}
            audit.record(mail.merchant, membership.user, "schedule.mail_again", mail.run.schedule_id, **said)
    return bool(again)


def _claim(mail: ScheduleMail) -> bool:
    now = timezone.now()
    mine = ScheduleMail.objects.filter(pk=mail.pk, state__in=_OPEN, attempts=mail.attempts, try_at__lte=now)
    claimed = mine.update(state=State.SENDING, attempts=F("attempts") + 1, try_at=now + _DEAD_AFTER)
    mail.attempts += 1
    return bool(claimed)


def _later(mail: ScheduleMail, error: str, *, for_good: bool = False) -> None:
    log.warning("schedule_mail_failed", mail=mail.pk, attempts=mail.attempts, error=error)
    said = "".join(sign for sign in " ".join(error.split()) if sign.isprintable())[:300]
    if for_good or mail.attempts > len(_WAITS):
        _finish(mail, State.FAILED, error=said)
        return
    wait = dt.timedelta(seconds=_WAITS[mail.attempts - 1])
    _finish(mail, State.WAITING, error=said, try_at=timezone.now() + wait)


def _finish(mail: ScheduleMail, state: State, **values: object) -> bool:
    """Whether the mail was still this worker's."""
    mine = ScheduleMail.objects.filter(pk=mail.pk, state=State.SENDING, attempts=mail.attempts)
    return bool(mine.update(state=state, **values))
