"""What goes wrong with a schedule is told by e-mail to whoever can help, once, and stands in its history."""

import datetime as dt
from pathlib import Path

import pytest
from django.core import mail

from merchant.models import Mail, Merchant
from merchant.tasks import send_mail
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.schedules import Postbox, clock, daily, folder, postbox, work
from transactions import tasks
from transactions.models import Export, Schedule, ScheduleMail

__all__ = ["folder", "postbox"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


def letters(settings) -> list[tuple[str, str, str]]:
    """Who has been written to by now: address, subject and text."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for each in Mail.objects.filter(state="waiting"):
        send_mail(each.pk)
    found, mail.outbox[:] = [(each.to[0], each.subject, str(each.body)) for each in mail.outbox], []
    return found


@pytest.fixture
def failed(ann: Person, ben: Person, lantern: Merchant, folder: Path) -> Schedule:
    """A schedule of Ben's for Ann whose file could not be put away."""
    rows.fill(lantern, 5)
    schedule = daily(lantern, ben.membership.user, ann.membership.user, query="", name="Month <end>")
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where a folder should be")
    with clock(2026, 10, 2, 5):
        work()
        work()
    assert Export.objects.get().state == "failed"
    return schedule


def test_an_owner_is_told_once_of_a_file_that_was_not_made(failed: Schedule, ann: Person, settings) -> None:
    settings.BASE_URL = "https://pay.example"
    [kept] = Mail.objects.all()
    assert "Month &lt;end&gt;" in kept.html
    [(to, subject, text)] = letters(settings)
    assert (to, subject) == ("ben@example.com", "No file: Month <end>, 2026-10-02")
    assert "due 2026-10-02 06:00 could not be made, and nobody has got it" in text
    assert "The file could not be made. Try again" in text
    assert f"/exports/schedules/{failed.pk}/" in text
    assert "runs again 2026-10-03 06:00 (Europe/Berlin)" in text
    page = ann.browser.get(f"/exports/schedules/{failed.pk}/").content.decode()
    assert "The file could not be made. Try again" in page
    assert "The owner was told" in page


def test_after_another_try_the_mails_go_out(failed: Schedule, ann: Person, folder: Path, settings) -> None:
    letters(settings)
    folder.unlink()
    export = Export.objects.get()
    with clock(2026, 10, 2, 6):
        assert ann.browser.post(f"/exports/{export.pk}/again/").status_code == 302
        work()
    assert ScheduleMail.objects.get().state == "sent"
    assert [(to, subject) for to, subject, _ in letters(settings)] == [
        ("ann@example.com", "Month <end>, 2026-10-02")
    ]


def test_an_owner_is_told_who_has_not_got_the_file(
    ann: Person, ben: Person, lantern: Merchant, postbox: Postbox, settings
) -> None:
    schedule = daily(lantern, ann.membership.user, ben.membership.user)
    postbox.answer = "550 nobody of this name"
    with clock(2026, 10, 2, 5):
        work()
        work()
        work()
    [(to, subject, text)] = letters(settings)
    assert (to, subject) == ("ann@example.com", "Not sent: Yesterday, 2026-10-02")
    assert "ben@example.com: The address was refused: 550 nobody of this name" in text
    assert f"/exports/schedules/{schedule.pk}/" in text


def test_somebody_who_may_not_have_the_files_any_more_is_named_once(
    ann: Person, ben: Person, lantern: Merchant, settings
) -> None:
    daily(lantern, ann.membership.user, ann.membership.user, ben.membership.user)
    ben.membership.role = "view_only"
    ben.membership.save()
    for day in (2, 3):
        with clock(2026, 10, day, 5):
            work()
            work()
    subjects = [subject for _, subject, _ in letters(settings)]
    assert sorted(subjects) == [
        "Not sent: Yesterday, 2026-10-02", "Yesterday, 2026-10-02", "Yesterday, 2026-10-03",
    ]  # fmt: skip


def test_who_waits_for_the_files_is_told_that_the_owner_is_gone(
    ann: Person, ben: Person, vera: Person, lantern: Merchant, settings
) -> None:
    users = [each.membership.user for each in (ann, ben, vera)]
    daily(lantern, ben.membership.user, *users)
    ben.membership.delete()
    with clock(2026, 10, 2, 5):
        work()
        work()
    [(to, subject, text)] = letters(settings)
    assert (to, subject) == ("ann@example.com", "It rests: Yesterday")
    assert "ben@example.com has left or may not export any more" in text


def test_an_owner_who_has_left_hears_nothing(
    ann: Person, ben: Person, lantern: Merchant, postbox: Postbox, settings
) -> None:
    daily(lantern, ben.membership.user, ann.membership.user)
    postbox.answer = "550 nobody of this name"
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
        tasks.make_export(str(Export.objects.get().pk))
        ben.membership.delete()
        work()
        work()
    assert ScheduleMail.objects.get().state == "failed"
    assert letters(settings) == []


def test_old_trouble_is_no_news(failed: Schedule, settings) -> None:
    letters(settings)
    run = failed.runs.get()
    run.told_at, run.created_at = None, run.created_at - dt.timedelta(days=8)
    run.save()
    with clock(2026, 10, 2, 7):
        work()
    assert letters(settings) == []
