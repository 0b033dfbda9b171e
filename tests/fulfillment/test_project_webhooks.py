"""A project's page: warnings, choices, and test events."""

import datetime as dt
from uuid import uuid4

import pytest
from django.utils import timezone

from fulfillment import tasks
from fulfillment.inbox import health, trials
from fulfillment.models import WebhookEvent, WebhookTest
from merchant.models import AuditEvent, Project
from tests.conftest import HARBOUR, HARBOUR_SECRET, Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.webhook_events import event, stored, text_of
from transactions.models import Transaction

PAGE = f"/settings/projects/{HARBOUR}/"


def test_the_page_warns_when_orders_came_and_webhooks_did_not(
    ann: Person, harbour: Project, order: Transaction
) -> None:
    assert health.warning(harbour) == ""
    Transaction.objects.update(created_at=timezone.now() - dt.timedelta(hours=3))
    assert "one order of this project was paid or ended, but no webhook came" in text_of(ann, PAGE)
    stored(event(uuid4(), object={"testing_case": "correct_payment"}, id="made up"))
    assert "no webhook came" in text_of(ann, PAGE)
    stored(event(order.pk))
    assert "no webhook came" not in text_of(ann, PAGE)
    WebhookEvent.objects.all().delete()
    Transaction.objects.update(created_at=timezone.now() - dt.timedelta(hours=49))
    assert "no webhook came" not in text_of(ann, PAGE)


def test_a_foreign_project_does_not_exist(cleo: Person, harbour: Project) -> None:
    assert cleo.browser.get(PAGE).status_code == 404
    for verb in ("secret", "secret/end", "webhooks", "test"):
        posted = cleo.browser.post(
            f"{PAGE}{verb}/", {"secret": "x", "admits_customers": "no", "case": "correct_payment"}
        )
        assert posted.status_code == 404
    assert fresh(harbour).secret_key == HARBOUR_SECRET
    assert not WebhookTest.objects.exists()


@pytest.mark.parametrize("values", [{}, {"admits_customers": "maybe"}, {"admits_customers": "\0"}])
def test_choices_that_do_not_exist_change_nothing(
    ann: Person, harbour: Project, values: dict[str, str]
) -> None:
    assert ann.browser.post(f"{PAGE}webhooks/", values).status_code == 400
    assert fresh(harbour).takes_webhooks
    assert ann.browser.post(f"{PAGE}test/", {"case": "x"}).status_code == 400
    assert not WebhookTest.objects.exists()


def test_a_test_is_asked_for_once_by_a_worker_and_audited(ann: Person, desk: Desk, harbour: Project) -> None:
    ann.browser.post(f"{PAGE}test/", {"case": "correct_payment"})
    test = WebhookTest.objects.get()
    for _ in range(2):
        tasks.send_webhook_test(test.pk)
    assert (
        desk.api.get("/sandbox/requests", params={"path": "webhook/testing", "method": "POST"}).json()[
            "count"
        ]
        == 1
    )
    test = fresh(test)
    assert (test.state, trials.arrived(test)) == ("sent", None)
    row = stored(event(test.order_uuid, object={"testing_case": "correct_payment"}))
    assert trials.arrived(test) == row
    assert "signature was right" in text_of(ann, PAGE)
    assert AuditEvent.objects.filter(event="project.webhook_tested", user=ann.membership.user).count() == 1


def test_a_refused_test_says_why(ann: Person, desk: Desk, harbour: Project) -> None:
    ann.browser.post(f"{PAGE}test/", {"case": "correct_payment"})
    desk.refuse(400, '{"code":"ma000023","message":"no"}', path="webhook/testing$")
    test = WebhookTest.objects.get()
    tasks.send_webhook_test(test.pk)
    assert fresh(test).state == "failed"
    assert "ma000023" in text_of(ann, PAGE)


def test_a_test_without_an_answer_is_found_when_it_arrives(ann: Person, desk: Desk, harbour: Project) -> None:
    ann.browser.post(f"{PAGE}test/", {"case": "correct_payment"})
    desk.fault("lost_answer", path="webhook/testing$")
    test = WebhookTest.objects.get()
    tasks.send_webhook_test(test.pk)
    assert fresh(test).state == "unknown"
    stored(event(uuid4(), object={"testing_case": "correct_payment"}))
    assert "signature was right" in text_of(ann, PAGE)


def test_tests_that_nobody_heard_of_are_rung_for_again_for_a_while(ann: Person, harbour: Project) -> None:
    test = trials.ask(harbour, ann.membership, "correct_payment")
    assert trials.due() == []
    for minutes, wanted in ((1, [test.pk]), (6, [])):
        WebhookTest.objects.update(requested_at=timezone.now() - dt.timedelta(minutes=minutes))
        assert trials.due() == wanted
