"""The mails of schedules: what they say, and what becomes of them when a mail server is in trouble."""

import datetime as dt
import email
import hashlib
from email import policy
from pathlib import Path

import pytest
from django.core import mail

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.schedules import Postbox, clock, daily, folder, postbox, states, work
from transactions import tasks
from transactions.models import Export, ScheduleMail

__all__ = ["folder", "postbox"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def due(ann: Person, lantern: Merchant, folder: Path) -> None:
    """A schedule of everything for Ann."""
    rows.fill(lantern, 40)
    name = "Weekly <b>numbers</b> & more"
    daily(lantern, ann.membership.user, ann.membership.user, query="", name=name)


def test_a_small_file_is_attached_as_it_was_made(due: None, settings) -> None:
    settings.BASE_URL = "https://pay.example"
    with clock(2026, 10, 2, 5):
        work()
    [sent], export = mail.outbox, Export.objects.get()
    [file] = sent.attachments
    assert (file.get_filename(), file["Content-Type"]) == (export.download_name, 'text/csv; charset="utf-8"')
    assert hashlib.sha256(file.get_payload(decode=True)).hexdigest() == export.sha256
    assert sent.subject == "Weekly <b>numbers</b> & more, 2026-10-02"
    [(html, _)] = sent.alternatives
    assert "<b>numbers" not in html
    for text in (sent.body, html):
        assert f"https://pay.example/exports/{export.pk}/" in text
        assert f"https://pay.example/exports/schedules/{export.run.schedule_id}/" in text
        assert "40 rows as CSV" in text
        assert export.control in text
        assert export.sha256 in text
    assert sent.message()["Message-ID"] == f"<schedule-{export.run.pk}-{export.requested_by_id}@pay.example>"


def test_a_large_file_is_a_link(due: None, settings) -> None:
    settings.EXPORT_MAIL_ATTACHMENT = 1000
    with clock(2026, 10, 2, 5):
        work()
    [sent] = mail.outbox
    assert sent.attachments == []
    assert "too much for a mail" in sent.body
    assert f"/exports/{Export.objects.get().pk}/" in sent.body


def test_a_mail_server_in_trouble_is_tried_again_later_and_later(due: None, postbox: Postbox) -> None:
    postbox.answer = "451 not now"
    at = dt.datetime(2026, 10, 2, 5, tzinfo=dt.UTC)
    with clock(2026, 10, 2, 5):
        work()
        work()
    sent = ScheduleMail.objects.get()
    assert (sent.state, sent.attempts, sent.try_at) == ("waiting", 1, at + dt.timedelta(minutes=1))
    assert "451" in sent.error
    with clock(2026, 10, 2, 5, 2):
        work()
    sent.refresh_from_db()
    assert (sent.attempts, sent.try_at) == (2, at + dt.timedelta(minutes=7))
    postbox.answer = "250 welcome"
    with clock(2026, 10, 2, 5, 8):
        work()
        work()
    assert states() == {"ann@example.com": "sent"}
    [taken] = [email.message_from_string(each, policy=policy.default) for each in postbox.taken]
    assert [part.get_content_type() for part in taken.walk()][-2:] == ["text/html", "text/csv"]


def test_a_mail_server_that_is_gone_for_days_is_given_up_and_the_history_says_so(
    due: None, ann: Person, settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with clock(2026, 10, 2, 5):
        work()
    sent = ScheduleMail.objects.get()
    for _ in range(8):
        with clock(*sent.try_at.timetuple()[:6]):
            tasks.send_schedule_mail(sent.pk)
        sent.refresh_from_db()
    assert (sent.state, sent.attempts) == ("failed", 9)
    page = ann.browser.get(f"/exports/schedules/{sent.run.schedule_id}/").content.decode()
    assert "ConnectionRefusedError" in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert ann.browser.post(f"/exports/schedules/mails/{sent.pk}/again/").status_code == 302
    tasks.send_schedule_mail(sent.pk)
    assert states() == {"ann@example.com": "sent"}


def test_an_address_that_is_refused_for_good_is_not_tried_again(due: None, postbox: Postbox) -> None:
    postbox.answer = "550 nobody of this name"
    with clock(2026, 10, 2, 5):
        work()
    sent = ScheduleMail.objects.get()
    assert (sent.state, sent.attempts) == ("failed", 1)
    assert "nobody of this name" in sent.error


def test_a_mail_whose_worker_died_goes_out_after_a_while(due: None, postbox: Postbox) -> None:
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
        tasks.make_export(str(Export.objects.get().pk))
        sent = ScheduleMail.objects.get()
        alive_until = sent.try_at + dt.timedelta(minutes=12)
        ScheduleMail.objects.update(state="sending", attempts=1, try_at=alive_until)
        work()
        assert postbox.taken == []
    with clock(2026, 10, 2, 5, 13):
        work()
        work()
    assert len(postbox.taken) == 1
    assert states() == {"ann@example.com": "sent"}


def test_the_mail_of_a_deleted_schedule_is_nobodys(due: None) -> None:
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
        sent = ScheduleMail.objects.get()
        sent.run.schedule.delete()
        tasks.make_export(str(Export.objects.get().pk))
        tasks.send_schedule_mail(sent.pk)
    assert mail.outbox == []


def test_a_file_that_is_gone_is_said(due: None, folder: Path) -> None:
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
        tasks.make_export(str(Export.objects.get().pk))
        for file in folder.iterdir():
            file.unlink()
        work()
    sent = ScheduleMail.objects.get()
    assert (sent.state, sent.error) == ("failed", "The file is no longer kept.")
