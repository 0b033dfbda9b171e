"""A mail to somebody who works here is a row first: what the mail server refuses is tried again."""

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from merchant import mailing, tasks
from merchant.models import Mail

pytestmark = pytest.mark.django_db


class Refusing(EmailBackend):
    """A mail server that takes nothing."""

    def send_messages(self, messages):
        raise smtplib.SMTPServerDisconnected("secret of the mail: " + messages[0].body)


@pytest.fixture
def refusing(settings) -> None:
    settings.EMAIL_BACKEND = "tests.merchant.test_mailing.Refusing"


@pytest.fixture
def waiting() -> Mail:
    return mailing.keep(
        None, "ann@example.com", "Hello\nBcc: x@example.com", text="a link", html="<p>a link</p>"
    )


def make_due() -> None:
    Mail.objects.update(try_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_mail_is_sent_once_and_its_text_forgotten(waiting: Mail) -> None:
    for _ in range(2):
        mailing.send(waiting.pk)
    waiting.refresh_from_db()
    assert [(each.to, each.subject, each.body) for each in mail.outbox] == [
        (["ann@example.com"], "Hello Bcc: x@example.com", "a link")
    ]
    assert (waiting.state, waiting.text, waiting.html) == ("sent", "", "")


def test_what_the_mail_server_refuses_waits_and_is_sent_later(waiting: Mail, refusing, settings) -> None:
    mailing.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.tries, waiting.error) == ("waiting", 1, "SMTPServerDisconnected")
    assert waiting.try_at > timezone.now()
    mailing.send(waiting.pk)
    assert Mail.objects.get().tries == 1  # not before its time
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_due()
    mailing.send(waiting.pk)
    assert Mail.objects.get().state == "sent"
    assert mail.outbox[0].body == "a link"


def test_after_a_day_a_mail_is_given_up_and_its_text_forgotten(waiting: Mail, refusing) -> None:
    for _ in range(7):
        make_due()
        mailing.send(waiting.pk)
    assert (Mail.objects.get().state, Mail.objects.get().text) == ("given_up", "")
    assert mailing.due() == []


def test_a_mail_whose_worker_died_is_sent_by_another(waiting: Mail) -> None:
    Mail.objects.update(tries=1, try_at=timezone.now() + mailing._LEASE)
    assert mailing.due() == []
    Mail.objects.update(try_at=timezone.now())
    assert mailing.due() == [waiting.pk]


def test_the_sweeper_rings_for_what_waits(waiting: Mail, settings) -> None:
    settings.CELERY_TASK_ALWAYS_EAGER = True
    rung = []
    tasks.send_mail.delay, kept = rung.append, tasks.send_mail.delay
    try:
        tasks.sweep_mails()
    finally:
        tasks.send_mail.delay = kept
    assert rung == [waiting.pk]


def test_a_canceled_mail_is_not_sent(waiting: Mail) -> None:
    mailing.cancel(waiting)
    mailing.send(waiting.pk)
    assert mail.outbox == []
