"""A secret is changed without losing what the old one has signed, and what is wrong is turned away."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from fulfillment.inbox import refusals
from fulfillment.models import RefusalCount, RefusedDelivery, WebhookEvent
from merchant import projects
from merchant.models import AuditEvent, Merchant, Project
from merchant.paysuper import signature
from tests.conftest import HARBOUR, HARBOUR_SECRET, SNOW_SECRET, Person
from tests.fulfillment.desk import fresh
from tests.fulfillment.webhook_events import deliver, event

PAGE = f"/settings/projects/{HARBOUR}/"
NEW_SECRET = "a-quite-new-secret"
Reason = RefusedDelivery.Reason


def rotated(person: Person, secret: str = NEW_SECRET) -> HttpResponse:
    return person.browser.post(f"{PAGE}secret/", {"secret": secret}, follow=True)


def answers(*secrets: str) -> list[int]:
    return [deliver(event("x", created_at=secret), secret=secret).status_code for secret in secrets]


# Rotation -----------------------------------------------------------------------------------------


def test_after_a_rotation_both_secrets_are_good_for_48_hours_and_then_the_new_one(
    ann: Person, harbour: Project
) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        assert "stays good for 48 hours" in rotated(ann).content.decode()
        assert answers(NEW_SECRET, HARBOUR_SECRET, "another") == [200, 200, 401]
    with time_machine.travel(now + dt.timedelta(hours=47, minutes=59), tick=False):
        assert answers(NEW_SECRET, HARBOUR_SECRET) == [200, 200]
    with time_machine.travel(now + dt.timedelta(hours=48), tick=False):
        assert answers(NEW_SECRET, HARBOUR_SECRET) == [200, 401]


def test_the_log_says_which_secret_has_signed(ann: Person, harbour: Project) -> None:
    rotated(ann)
    deliver(event("x"), secret=HARBOUR_SECRET)
    row = WebhookEvent.objects.get()
    assert row.signed_with == "previous"
    assert "Previous secret" in ann.browser.get("/webhooks/").content.decode()
    assert "with the previous secret" in ann.browser.get(f"/webhooks/{row.pk}/").content.decode()
    deliver(event("x"), secret=NEW_SECRET)
    assert fresh(row).signed_with == "current"


def test_a_second_rotation_ends_the_oldest_secret(ann: Person, harbour: Project) -> None:
    rotated(ann)
    rotated(ann, "the-third")
    assert answers("the-third", NEW_SECRET, HARBOUR_SECRET) == [200, 200, 401]


def test_the_old_secret_can_be_ended_at_once(ann: Person, harbour: Project) -> None:
    rotated(ann)
    assert "accepted until" in ann.browser.get(PAGE).content.decode()
    page = ann.browser.post(f"{PAGE}secret/end/", follow=True).content.decode()
    assert "accepted until" not in page
    assert answers(NEW_SECRET, HARBOUR_SECRET) == [200, 401]
    assert fresh(harbour).previous_secret == ""
    assert "no previous secret" in ann.browser.post(f"{PAGE}secret/end/", follow=True).content.decode()


def test_the_same_secret_again_changes_nothing(ann: Person, harbour: Project) -> None:
    rotated(ann)
    until = fresh(harbour).previous_secret_until
    assert "nothing has changed" in rotated(ann).content.decode()
    assert fresh(harbour).previous_secret_until == until
    assert AuditEvent.objects.filter(event="project.secret_changed").count() == 1


def test_a_first_secret_has_no_previous_one(ann: Person, harbour: Project) -> None:
    Project.objects.filter(pk=harbour.pk).update(secret_key="")
    rotated(ann)
    assert answers(NEW_SECRET, "") == [200, 401]
    assert fresh(harbour).second_secret == ""


def test_the_command_rotates_as_the_page_does(lantern: Merchant, harbour: Project) -> None:
    projects.take_secret(harbour, NEW_SECRET)
    harbour.save()
    assert answers(NEW_SECRET, HARBOUR_SECRET) == [200, 200]


@pytest.mark.parametrize("secret", ["", "   ", "x" * 501, "a\0b", "two\nlines"])
def test_a_secret_that_none_can_be_is_refused_and_changes_nothing(
    ann: Person, harbour: Project, secret: str
) -> None:
    answer = ann.browser.post(f"{PAGE}secret/", {"secret": secret})
    assert answer.status_code == 400
    assert "errorlist" in answer.content.decode()
    assert fresh(harbour).secret_key == HARBOUR_SECRET


def test_secrets_are_neither_shown_nor_audited_nor_readable_in_the_database(
    ann: Person, harbour: Project
) -> None:
    pages = [rotated(ann), ann.browser.get(PAGE), ann.browser.get("/settings/")]
    audited = str(list(AuditEvent.objects.values_list("event", "data")))
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_key || previous_secret FROM merchant_project")
        kept = str(cursor.fetchall())
    for text in (*(page.content.decode() for page in pages), audited, kept):
        assert NEW_SECRET not in text
        assert HARBOUR_SECRET not in text
    assert "project.secret_changed" in audited


# What is turned away ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", Reason.NO_SIGNATURE),
        ("Bearer x", Reason.WRONG_FORM),
        ("Signature " + "A" * 64, Reason.WRONG_FORM),
        ("Signature " + "0" * 64, Reason.WRONG_SIGNATURE),
    ],
)
def test_what_is_turned_away_is_seen_with_its_reason(
    ann: Person, harbour: Project, header: str, reason: str
) -> None:
    assert deliver(event("x"), header=header).status_code == 401
    row = RefusedDelivery.objects.get()
    assert (row.reason, row.project, row.size) == (reason, harbour, len(event("x")))
    assert RefusalCount.objects.get().count == 1
    page = ann.browser.get("/webhooks/refused/").content.decode()
    assert row.get_reason_display() in page.replace("&#x27;", "'")
    assert "1 turned away" in ann.browser.get("/webhooks/").content.decode()


def test_unreadable_and_too_large_ones_are_seen_too(ann: Person, harbour: Project) -> None:
    assert deliver(b"{").status_code == 400
    assert deliver(b"x" * (1024 * 1024 + 1)).status_code == 413
    kept = list(RefusedDelivery.objects.order_by("pk").values_list("reason", "size"))
    assert kept == [("unreadable", 1), ("too_large", 1024 * 1024 + 1)]


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (SNOW_SECRET, "the secret of the project “Snow Defender”"),
        ("nobody's", ""),
        (HARBOUR_SECRET, "the previous"),
    ],
)
def test_a_wrong_secret_is_named_when_it_is_one_of_ours(
    ann: Person, harbour: Project, secret: str, words: str
) -> None:
    rotated(ann)
    with time_machine.travel(timezone.now() + dt.timedelta(hours=49)):
        assert deliver(event("x"), secret=secret).status_code == 401
        detail = RefusedDelivery.objects.get().detail
    assert detail.startswith(words) if words else detail == ""


def test_little_is_kept_of_what_nobody_has_signed(harbour: Project) -> None:
    deliver(event("x", customer="mara@example.com", filling="y" * 5000), header="Signature nothing")
    row = RefusedDelivery.objects.get()
    assert len(row.beginning) <= 200
    assert "Authorization" not in row.headers
    with connection.cursor() as cursor:
        cursor.execute("SELECT beginning FROM fulfillment_refuseddelivery")
        assert "payment" not in cursor.fetchone()[0]


def test_a_flood_costs_few_rows_and_is_counted_whole(
    harbour: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "_valve", refusals.Valve(most=5))
    clock = [1000.0]
    monkeypatch.setattr(refusals.time, "monotonic", lambda: clock[0])
    for _ in range(6):
        for _ in range(15):
            assert deliver(event("x"), header="").status_code == 401
        clock[0] += 1
    deliver(event("x"), header="")
    assert RefusedDelivery.objects.count() == refusals.KEPT
    assert sum(RefusalCount.objects.values_list("count", flat=True)) == 6 * 15 + 1


def test_a_refusal_that_cannot_be_noted_is_still_answered(harbour: Project) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE fulfillment_refusalcount RENAME TO taken_away")
    assert deliver(event("x"), header="").status_code == 401
    connection.needs_rollback = True


def test_an_unknown_project_leaves_no_trace(harbour: Project) -> None:
    assert deliver(event("x"), address=f"/webhooks/paysuper/{'0' * 24}/").status_code == 401
    assert not RefusedDelivery.objects.exists()


def test_a_project_that_is_switched_off_asks_paysuper_to_come_again(ann: Person, harbour: Project) -> None:
    ann.browser.post(f"{PAGE}webhooks/", {"admits_customers": "yes"})
    assert deliver(event("x")).status_code == 503
    assert deliver(event("x"), header="").status_code == 401
    assert not WebhookEvent.objects.exists()
    assert "switched off" in ann.browser.get(PAGE).content.decode()
    ann.browser.post(f"{PAGE}webhooks/", {"admits_customers": "yes", "takes_webhooks": "on"})
    assert deliver(event("x")).status_code == 200
    changed = AuditEvent.objects.filter(event="project.webhooks_changed").order_by("pk")
    assert [each.data for each in changed] == [{"takes_webhooks": False}, {"takes_webhooks": True}]


# May this customer pay ----------------------------------------------------------------------------


def question(**more: Any) -> bytes:
    return event("5f8a1c0e-0000-4000-8000-00000001a7c2", "user.validate", object={"object": "user"}, **more)


def first_form_of_it() -> bytes:
    return event("x", "", type="check_user")


@pytest.mark.parametrize("body", [question(), first_form_of_it()])
def test_every_customer_may_pay_unless_the_project_says_otherwise(
    ann: Person, harbour: Project, body: bytes
) -> None:
    assert deliver(body).status_code == 200
    ann.browser.post(f"{PAGE}webhooks/", {"admits_customers": "no", "takes_webhooks": "on"})
    assert deliver(body).status_code == 403
    row = WebhookEvent.objects.get()
    assert (row.event, row.answer, row.order_uuid) == ("user.validate", 403, None)
    assert deliver(event("y")).status_code == 200
    assert "may not pay" in ann.browser.get(f"/webhooks/{row.pk}/").content.decode()


def test_a_forged_question_is_401_whatever_the_project_says(harbour: Project) -> None:
    assert deliver(question(), header=signature.sign(question(), "wrong")).status_code == 401
