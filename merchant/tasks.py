"""Doorways from the broker: an id in, one call of the domain."""

from celery import shared_task

from merchant import mailing


@shared_task(soft_time_limit=60, time_limit=90)
def send_mail(mail_id: int) -> None:
    """Send a mail that waits."""
    mailing.send(mail_id)


@shared_task
def sweep_mails() -> None:
    """Ring again for mails that wait."""
    for mail_id in mailing.due():
        send_mail.delay(mail_id)
