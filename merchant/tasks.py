"""Doorways from the broker to what is done for people and whole merchants."""

import structlog
from celery import shared_task

from merchant import mailing, sessions, walls
from merchant.audit import chain
from merchant.models import Mail, Merchant

log = structlog.get_logger()


@shared_task(soft_time_limit=60, time_limit=90)
def send_mail(mail_id: int) -> None:
    """Send a mail that waits."""
    with walls.only_of(Mail, mail_id):
        mailing.send(mail_id)


@shared_task
def sweep_mails() -> None:
    """Ring again for mails that wait."""
    with walls.lifted():  # whoever's they are
        due = mailing.due()
    for mail_id in due:
        send_mail.delay(mail_id)


@shared_task
def verify_audit() -> None:
    """Recompute every chain, and note its end in the log: a place that whoever rewrites the audit must
    reach too.
    """
    with walls.lifted():  # every merchant's
        for merchant in Merchant.objects.order_by("pk"):
            if found := chain.breaks(merchant):
                log.error("audit_broken", merchant=merchant.paysuper_id, where=[str(each) for each in found])
            else:
                log.info("audit_holds", merchant=merchant.paysuper_id, head=chain.head(merchant))


@shared_task
def drop_ended_sessions() -> None:
    """Drop what is left of sessions that have ended: nobody is shown it any more."""
    log.info("sessions_dropped", count=sessions.drop_ended())
