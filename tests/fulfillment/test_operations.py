"""How the installation runs: numbers for machines, and a page for the owner."""

import datetime as dt
import json

import pytest
from django.conf import settings as product
from django.test import Client as Browser
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from fulfillment.models import Action, Message, WebhookEvent
from fulfillment.tasks import run_action
from merchant import measures, pulse
from merchant.models import Merchant, Project
from tests.conftest import COPPER, LANTERN, Person
from tests.transactions.schedules import daily
from transactions.models import Export, ScheduleMail, ScheduleRun, SyncState, Transaction

BEARER = {"HTTP_AUTHORIZATION": "Bearer of-nobody-else"}


@pytest.fixture(autouse=True)
def told(settings, monkeypatch) -> None:
    settings.METRICS_TOKEN = "of-nobody-else"
    monkeypatch.setattr(measures, "_quiet_until", 0.0)


def metrics(**more: str) -> dict[tuple[str, ...], float]:
    answer = Browser().get("/metrics", **BEARER, **more)
    assert answer.status_code == 200
    return {
        (
            sample.name.removeprefix("dashboard_"),
            *(value for _, value in sorted(sample.labels.items(), key=lambda label: label[0] == "le")),
        ): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def refund(order: Transaction, **values: object) -> Action:
    wish = {"merchant": order.merchant, "transaction": order, "kind": "refund", "reference": "r"} | values
    return Action.objects.create(**wish)


def event(project: Project, **values: object) -> WebhookEvent:
    now = timezone.now()
    first = {"merchant": project.merchant, "project": project, "event": "payment.success", "event_id": "e"}
    return WebhookEvent.objects.create(
        **first | {"object_hash": "o", "body": "{}", "last_received_at": now, "try_at": now} | values
    )


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic of-nobody-else", "Bearer \x00ü"])
def test_metrics_are_for_those_who_know_the_token(db: None, given: str) -> None:
    answer = Browser().get("/metrics", HTTP_AUTHORIZATION=given)
    assert answer.status_code == 401
    assert b"dashboard_" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (["10.0.0.0/8"], "10.1.2.3", 200),
        (["10.0.0.0/8", "::1"], "::1", 200),
        (["10.0.0.0/8"], "11.1.2.3", 401),
        ([], "10.1.2.3", 404),
    ],
)
def test_metrics_are_for_addresses_that_are_named(
    settings, networks: list[str], address: str, status: int
) -> None:
    settings.METRICS_TOKEN, settings.METRICS_ADDRESSES = "", networks
    assert Browser().get("/metrics", REMOTE_ADDR=address).status_code == status


def test_nobody_gets_in_by_telling_of_another_address(settings, db: None) -> None:
    settings.METRICS_TOKEN, settings.METRICS_ADDRESSES = "", ["10.0.0.0/8"]
    answer = Browser().get("/metrics", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="10.1.2.3")
    assert answer.status_code == 401


def test_metrics_tell_of_every_merchant_what_waits_and_how_old_its_mirror_is(
    ann: Person, cleo: Person, order: Transaction, harbour: Project
) -> None:
    now = timezone.now()
    SyncState.objects.update_or_create(
        merchant=order.merchant,
        defaults={
            "succeeded_at": now - dt.timedelta(seconds=90),
            "drift_found": 3,
            "drift_checked_at": now,
        },
    )
    SyncState.objects.filter(merchant__paysuper_id=COPPER).update(failed_at=now + dt.timedelta(seconds=1))
    refund(order, state="needs_person")
    Action.objects.update(requested_at=now - dt.timedelta(hours=2))
    event(harbour)
    event(harbour, event_id="f", state="failed")
    event(harbour, event_id="g", state="failed", last_received_at=now - dt.timedelta(days=3))
    Export.objects.create(merchant=order.merchant, requested_by=ann.membership.user, format="csv")
    found = metrics()
    assert found["sync_age_seconds", LANTERN] == pytest.approx(90, abs=5)
    assert found["drift_orders", LANTERN] == 3
    assert (found["sync_failing", LANTERN], found["sync_failing", COPPER]) == (0, 1)
    assert found["rows", "action refund", "needs_person"] == 1
    assert found["rows_oldest_seconds", "action refund", "needs_person"] == pytest.approx(7200, abs=5)
    assert (found["rows", "webhook", "received"], found["rows", "webhook", "failed"]) == (1, 1)
    assert found["rows", "export", "waiting"] == 1
    assert (found["up", "database"], found["up", "broker"]) == (1, 1)


def test_metrics_tell_of_mails_by_state_and_age(ann: Person, order: Transaction, harbour: Project) -> None:
    now = timezone.now()
    letter = {
        "merchant": order.merchant,
        "project": harbour,
        "transaction": order,
        "kind": "key",
        "try_at": now,
    }
    for number, state in enumerate(["queued", "queued", "waiting", "failed", "gave_up", "unknown", "sent"]):
        Message.objects.create(key=str(number), recipient="a@example.com", state=state, **letter)
    Message.objects.filter(key="0").update(created_at=now - dt.timedelta(minutes=20))
    Message.objects.create(key="old", state="gave_up", **letter)
    Message.objects.filter(key="old").update(changed_at=now - dt.timedelta(days=2))
    schedule = daily(order.merchant, ann.membership.user)
    for day, state in enumerate(["waiting", "failed", "sent"]):
        run = ScheduleRun.objects.create(
            merchant=order.merchant, schedule=schedule, due_at=now - dt.timedelta(days=day)
        )
        person = {"user": ann.membership.user, "merchant": order.merchant}
        ScheduleMail.objects.create(run=run, state=state, try_at=now, **person)
    found = metrics()
    counts = {key[1:]: value for key, value in found.items() if key[0] == "rows" and "mail" in key[1]}
    assert counts == {
        ("mail", "queued"): 2,
        ("mail", "waiting"): 1,
        ("mail", "failed"): 1,
        ("mail", "gave_up"): 1,
        ("mail", "unknown"): 1,
        ("schedule mail", "waiting"): 1,
        ("schedule mail", "failed"): 1,
    }
    assert found["rows_oldest_seconds", "mail", "queued"] == pytest.approx(1200, abs=5)


def test_metrics_tell_of_queues_and_of_who_serves_them(db: None) -> None:
    run_action.delay(7)
    run_action.delay(8)
    pulse.beat("money", pulse.BEAT)
    message = json.loads(measures.line().lindex("money", -1))
    message["headers"]["sent_at"] -= 100
    measures.line().lset("money", -1, json.dumps(message))
    found = metrics()
    assert found["queue_messages", "money"] == 2
    assert found["queue_oldest_seconds", "money"] == pytest.approx(100, abs=5)
    assert (found["queue_served", "money"], found["queue_served", "sync"]) == (1, 0)
    assert found[("beat_alive",)] == 1
    assert {name[1] for name in found if name[0] == "queue_messages"} == set(product.QUEUES)


def test_metrics_tell_how_long_paysuper_took(mirrored: Merchant) -> None:
    found = metrics()
    call = ("GET /admin/api/v1/order", "200")
    count = found["paysuper_request_seconds_count", *call]
    assert count >= 1
    assert found["paysuper_request_seconds_bucket", *call, "+Inf"] == count
    assert found["paysuper_request_seconds_sum", *call] > 0


def test_metrics_without_redis_still_tell_of_the_database(settings, db: None) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = metrics()
    assert (found["up", "database"], found["up", "broker"]) == (1, 0)


def test_the_owner_reads_what_to_do(ann: Person, order: Transaction, harbour: Project) -> None:
    refund(order, state="needs_person")
    event(harbour, state="failed")
    page = ann.browser.get("/operations/").content.decode()
    assert "1 refunds need a person" in page
    assert "1 webhooks failed in the last day" in page
    assert "Nothing rings by the clock" in page
    assert "Nobody works on the queue money" in page


def test_the_owner_of_a_well_one_reads_that_all_is_well(ann: Person, mirrored: Merchant) -> None:
    pulse.beat(*product.QUEUES, pulse.BEAT)
    SyncState.objects.update(drift_checked_at=timezone.now(), drift_found=0)
    page = ann.browser.get("/operations/").content.decode()
    assert "all is as it should be" in page
    assert "GET /admin/api/v1/order" in page


def test_the_page_tells_nothing_of_another_merchant(
    cleo: Person, order: Transaction, harbour: Project
) -> None:
    refund(order, state="needs_person")
    event(harbour, state="failed")
    page = cleo.browser.get("/operations/").content.decode()
    assert "need a person" not in page
    assert "webhooks failed" not in page


def test_the_page_says_when_the_broker_is_down(settings, ann: Person) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page = ann.browser.get("/operations/").content.decode()
    assert "The broker (Redis) does not answer" in page


def test_ready_means_database_broker_migrations_workers_and_beat(db: None, settings) -> None:
    assert Browser().get("/readyz").json() == {
        "database": True, "broker": True, "migrations": True, "workers": False, "beat": False
    }  # fmt: skip
    pulse.beat(*product.QUEUES, pulse.BEAT)
    assert Browser().get("/readyz").status_code == 200
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Browser().get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, False)


def test_ready_takes_one_silent_queue_for_not_ready(db: None) -> None:
    pulse.beat(*(name for name in product.QUEUES if name != "money"), pulse.BEAT)
    assert Browser().get("/readyz").status_code == 503
