"""What tells of customers is dropped when its time is over; what is still needed stays."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client as Browser
from django.utils import timezone
from pytest_django.fixtures import Settings

from fulfillment import automatic, retention, tasks, told
from fulfillment.models import Message, ServerCall, ServerCallTry, WebhookEvent
from merchant import sessions
from merchant.celery import app
from merchant.models import AuditEvent, Merchant, RetentionRules
from merchant.tasks import drop_ended_sessions
from tests.conftest import PASSWORD, Person
from tests.fulfillment.desk import fresh
from transactions import exporting
from transactions.models import Export, Transaction

NOW = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> Iterator[None]:
    """It is three in the night."""
    with time_machine.travel(NOW, tick=False):
        yield


def ago(days: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(days=days)


def webhook(order: Transaction, days: float, state: str = "processed", event: str = "payment.success") -> int:
    found = WebhookEvent.objects.create(
        merchant=order.merchant, project=order.project, event=event, order_uuid=order.pk,
        body='{"object": {"platform_id": "steam"}}', state=state, last_received_at=ago(days),
        try_at=ago(days), event_id=f"{state}{days}", object_hash=event,
    )  # fmt: skip
    return found.pk


def mail(order: Transaction, days: float, state: str = "sent") -> int:
    found = Message.objects.create(
        merchant=order.merchant, project=order.project, transaction=order, kind="payment", state=state,
        key=f"{state}{days}", recipient="a@b.example", subject="Receipt", text="Hello", html="<p>Hello",
        activation_keys="K", try_at=ago(days),
    )  # fmt: skip
    Message.objects.filter(pk=found.pk).update(created_at=ago(days))
    return found.pk


def call(order: Transaction, days: float, state: str = "taken") -> int:
    ServerCall.objects.all().delete()  # one for each order
    found = ServerCall.objects.create(
        merchant=order.merchant, project=order.project, transaction=order, event="order.paid",
        body='{"order": {"items": [{"code": "K"}]}}', state=state, try_at=ago(days),
    )  # fmt: skip
    ServerCall.objects.filter(pk=found.pk).update(created_at=ago(days))
    ServerCallTry.objects.create(call=found, number=1, sent_at=ago(days), milliseconds=1, answer="thanks, K")
    return found.pk


def bodies(model: type) -> dict[int, str]:
    name = "text" if model is Message else "body"
    return dict(model.objects.values_list("pk", name))


def test_texts_are_dropped_to_the_day_and_rows_stay(order: Transaction, clock: None) -> None:
    RetentionRules.objects.create(merchant=order.merchant, webhook_days=30, mail_days=60, call_days=90)
    old, young = webhook(order, 30.001), webhook(order, 29.999)
    old_mail, young_mail = mail(order, 60.001), mail(order, 59.999)
    old_call = call(order, 90.001)
    assert retention.drop(order.merchant) == {"webhooks": 1, "mails": 1, "calls": 1}
    assert bodies(WebhookEvent)[old] == bodies(Message)[old_mail] == bodies(ServerCall)[old_call] == ""
    assert bodies(WebhookEvent)[young]
    assert bodies(Message)[young_mail]
    emptied = Message.objects.get(pk=old_mail)
    assert (emptied.html, emptied.activation_keys, emptied.subject) == ("", "", "Receipt")
    assert ServerCallTry.objects.get().answer == ""
    assert retention.drop(order.merchant) == {"webhooks": 0, "mails": 0, "calls": 0}


def test_what_was_dropped_is_on_record_with_its_counts(order: Transaction, clock: None) -> None:
    for days in (400, 401, 402):
        webhook(order, days)
    retention.drop(order.merchant)
    entry = AuditEvent.objects.get(event="retention.dropped")
    assert (entry.subject, entry.data["count"], entry.user) == ("webhooks", 3, None)
    assert entry.data["older_than"] == ago(365).isoformat()


def test_small_steps_reach_the_end(order: Transaction, clock: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for days in (400, 401, 402, 403, 404):
        webhook(order, days)
    assert retention.drop(order.merchant)["webhooks"] == 5
    assert set(bodies(WebhookEvent).values()) == {""}
    counts = AuditEvent.objects.filter(event="retention.dropped").order_by("pk")
    assert [each.data["count"] for each in counts] == [2, 2, 1]


@pytest.mark.parametrize("state", ["received", "failed"])
def test_a_webhook_that_is_not_settled_is_not_touched(order: Transaction, clock: None, state: str) -> None:
    kept = webhook(order, 4000, state)
    retention.drop(order.merchant)
    assert bodies(WebhookEvent)[kept]


@pytest.mark.parametrize("state", ["waiting", "queued", "sending", "failed"])
def test_a_mail_under_way_is_not_touched(order: Transaction, clock: None, state: str) -> None:
    kept = mail(order, 4000, state)
    retention.drop(order.merchant)
    assert bodies(Message)[kept]


@pytest.mark.parametrize(
    ("state", "fulfilment", "stays"),
    [
        ("waiting", "fulfilled", True),
        ("sending", "fulfilled", True),
        ("given_up", "unfulfilled", True),
        ("given_up", "fulfilled", False),
        ("stopped", "unfulfilled", False),
    ],
)
def test_a_call_that_somebody_may_still_send_is_not_touched(
    order: Transaction, clock: None, state: str, fulfilment: str, stays: bool
) -> None:
    Transaction.objects.filter(pk=order.pk).update(fulfilment=fulfilment)
    kept = call(order, 4000, state)
    retention.drop(order.merchant)
    assert bool(bodies(ServerCall)[kept]) is stays


def test_never_means_never_and_the_installation_has_a_say(
    order: Transaction, clock: None, settings: Settings
) -> None:
    settings.RETENTION_WEBHOOK_DAYS = 0
    first = webhook(order, 4000)
    settings.RETENTION_MAIL_DAYS = 10
    mail(order, 11)
    assert retention.drop(order.merchant) == {"webhooks": 0, "mails": 1, "calls": 0}
    RetentionRules.objects.create(merchant=order.merchant, webhook_days=100, mail_days=None)
    mail(order, 12)
    assert retention.drop(order.merchant) == {"webhooks": 1, "mails": 0, "calls": 0}
    assert not bodies(WebhookEvent)[first]


def test_every_merchant_has_times_of_their_own(order: Transaction, copper: Merchant, clock: None) -> None:
    RetentionRules.objects.create(merchant=order.merchant, webhook_days=1)
    theirs = Transaction.objects.filter(merchant=copper).first()
    mine, kept = webhook(order, 2), webhook(theirs, 3)
    tasks.drop_old_texts(order.merchant_id)
    tasks.drop_old_texts(copper.pk)
    assert not bodies(WebhookEvent)[mine]
    assert bodies(WebhookEvent)[kept]


def test_it_happens_once_a_day_for_everybody(order: Transaction, copper: Merchant, monkeypatch) -> None:
    rung = []
    monkeypatch.setattr(tasks.drop_old_texts, "delay", rung.append)
    tasks.drop_what_is_old()
    assert set(rung) == {order.merchant_id, copper.pk}
    by_clock = {each["task"]: each["schedule"] for each in app.conf.beat_schedule.values()}
    assert by_clock["fulfillment.tasks.drop_what_is_old"] == 24 * 3600
    assert by_clock["merchant.tasks.drop_ended_sessions"] == 24 * 3600


def test_pages_get_along_without_what_was_dropped(order: Transaction, ann: Person) -> None:
    event, letter, told_server = webhook(order, 400), mail(order, 400), call(order, 400)
    retention.drop(order.merchant)
    page = ann.browser.get(f"/webhooks/{event}/").content.decode()
    assert "The body was dropped when its time was over" in page
    for address in (f"/messages/{letter}/", f"/server-calls/{told_server}/"):
        assert "was dropped when its time was over" in ann.browser.get(address).content.decode()
    assert ann.browser.get(f"/messages/{letter}/body/").status_code == 200
    assert ann.browser.get(f"/transactions/{order.pk}/").status_code == 200
    assert ann.browser.get(f"/transactions/{order.pk}/receipt/").status_code == 200
    assert told.told(fresh(order), ann.membership) == []
    again = ServerCall.objects.get(pk=told_server)
    assert "dropped" in automatic.resend_blocker(again, ann.membership)
    ann.browser.post(f"/server-calls/{told_server}/resend/")
    assert ServerCall.objects.get(pk=told_server).state == "taken"


def test_a_webhook_whose_body_was_dropped_can_be_processed_again_and_comes_back_whole(
    order: Transaction, ann: Person
) -> None:
    event = webhook(order, 400)
    retention.drop(order.merchant)
    ann.browser.post(f"/webhooks/{event}/replay/")
    tasks.process_webhook(event)
    assert WebhookEvent.objects.get(pk=event).state == "processed"


def export(merchant: Merchant, person: Person, days: float) -> Export:
    made = Export.objects.create(
        merchant=merchant, requested_by=person.membership.user, format="csv", state="ready",
        sha256="0" * 64, size=3, rows_total=1, finished_at=ago(days),
    )  # fmt: skip
    made.file_name = storages["exports"].save(f"{made.pk}.csv", ContentFile(b"abc"))
    made.save()
    return made


def test_files_of_exports_go_when_their_merchant_says(
    lantern: Merchant,
    copper: Merchant,
    ann: Person,
    cleo: Person,
    clock: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # folders of others are not old, the clock is
    RetentionRules.objects.create(merchant=lantern, export_days=3)
    mine, young, theirs = export(lantern, ann, 3.01), export(lantern, ann, 2.99), export(copper, cleo, 6.9)
    assert mine.file_until == ago(0.01)
    exporting.expire()
    states = dict(Export.objects.values_list("pk", "state"))
    assert states == {mine.pk: "expired", young.pk: "ready", theirs.pk: "ready"}
    assert not storages["exports"].exists(f"{mine.pk}.csv")
    assert "kept for 3 days" in ann.browser.get("/exports/").content.decode()
    with time_machine.travel(NOW + dt.timedelta(days=0.2), tick=False):
        exporting.expire()
    assert Export.objects.get(pk=theirs.pk).state == "expired"


def sign_in(person: Person) -> None:
    Browser().post("/accounts/login/", {"login": person.membership.user.email, "password": PASSWORD})


def test_nothing_is_left_of_sessions_that_ended(ann: Person, ben: Person, db: None) -> None:
    sign_in(ann)
    assert UserSession.objects.count() == 1
    alive = Session.objects.count()
    assert sessions.drop_ended() == 0
    with time_machine.travel(timezone.now() + dt.timedelta(hours=13), tick=False):
        drop_ended_sessions()
    assert alive > 0
    assert (Session.objects.count(), UserSession.objects.count()) == (0, 0)


def test_a_session_that_goes_on_is_kept(ann: Person) -> None:
    sign_in(ann)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=11), tick=False):
        drop_ended_sessions()
    assert UserSession.objects.count() == 1
