"""A webhook is a hint: the order is read again, however late, often or wrongly it was told of."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from celery import current_app
from django.core.cache import cache
from django.utils import timezone

from fulfillment import inbox, tasks
from fulfillment.models import WebhookEvent
from merchant.models import Merchant, Project
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import KETTLE, KETTLE_SECRET, Person
from tests.fulfillment.desk import Desk, fresh, sent
from tests.fulfillment.webhook_events import EXAMPLES, State, deliver, event, process, stored
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction


@pytest.fixture
def inline() -> Iterator[None]:
    """Bells are answered at once, in this process."""
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = True
    yield
    current_app.conf.task_always_eager = current_app.conf.task_eager_propagates = False


def pauses(row: WebhookEvent, tries: int) -> list[int]:
    """Seconds from each of so many tries to the next one."""
    found = []
    for _ in range(tries):
        row = process(row)
        found.append(round((row.try_at - timezone.now()).total_seconds()))
    return found


# A hint, not a fact -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("payment.success", "processed"),
        ("payment.cancel", "canceled"),
        ("payment.refund", "refunded"),
        ("payment.chargeback", "chargeback"),
    ],
)
def test_every_payment_event_brings_the_order_as_the_api_has_it(
    harbour: Project, desk: Desk, name: str, status: str
) -> None:
    uuid = desk.pay(amount=23.8)
    assert process(stored(event(uuid, name, status))).state == State.PROCESSED
    entry = Transaction.objects.get()
    assert (entry.pk, entry.status, float(entry.total_amount)) == (uuid, "processed", 23.8)


def test_a_stale_success_after_a_refund_does_not_move_the_order_back(
    ben: Person, desk: Desk, order: Transaction
) -> None:
    sent(order, ben)
    eventually(lambda: desk.completed(order.pk))
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert fresh(order).status == "refunded"
    assert process(stored(event(order.pk, "payment.success", "processed"))).state == State.PROCESSED
    assert fresh(order).status == "refunded"


def test_not_even_when_paysuper_itself_falls_back(harbour: Project, desk: Desk, order: Transaction) -> None:
    before = desk.api.get(f"/admin/api/v1/order/{order.pk}").text
    desk.charge_back(order.pk)
    process(stored(event(order.pk, "payment.chargeback", "chargeback")))
    desk.refuse(200, before, method="GET", path=f"{order.pk}$")
    assert process(stored(event(order.pk))).state == State.PROCESSED
    assert fresh(order).status == "chargeback"


def test_a_webhook_about_another_merchants_order_changes_and_shows_nothing(
    ann: Person, cleo: Person, desk: Desk, order: Transaction
) -> None:
    body = event(order.pk, "payment.chargeback", "chargeback")
    deliver(body, address=f"/webhooks/paysuper/{KETTLE}/", secret=KETTLE_SECRET)
    row = process(WebhookEvent.objects.get())
    assert (row.state, row.merchant) == (State.RECEIVED, cleo.membership.merchant)
    assert (fresh(order).status, fresh(order).merchant) == ("processed", ann.membership.merchant)
    assert f"/webhooks/{row.pk}/" in cleo.browser.get("/webhooks/").content.decode()
    assert f"/webhooks/{row.pk}/" not in ann.browser.get("/webhooks/").content.decode()
    assert ann.browser.get(f"/webhooks/{row.pk}/").status_code == 404


def test_a_processed_webhook_rings_for_the_open_refund_and_the_refund_row(
    ben: Person, desk: Desk, order: Transaction, bells: list[tuple[str, int]]
) -> None:
    action = sent(order, ben)
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert bells == [("settle_action", action.pk), ("sync_merchant", order.merchant_id)]


def test_many_webhooks_at_once_ring_for_one_sync(order: Transaction, bells: list[tuple[str, int]]) -> None:
    for name in ("payment.success", "payment.refund", "payment.chargeback"):
        process(stored(event(order.pk, name, "processed")))
    assert bells == [("sync_merchant", order.merchant_id)]


def test_a_webhook_is_processed_while_the_cache_is_down(
    order: Transaction, bells: list[tuple[str, int]], settings
) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert process(stored(event(order.pk, "payment.success", "processed"))).state == State.PROCESSED
    assert bells == []


@pytest.mark.usefixtures("inline")
def test_a_refund_webhook_ends_the_refund_at_once(ben: Person, desk: Desk, order: Transaction) -> None:
    action = sent(order, ben)
    eventually(lambda: desk.completed(order.pk))
    process(stored(event(order.pk, "payment.refund", "refunded")))
    assert (fresh(action).state, fresh(order).status) == ("refunded", "refunded")


# Trouble on the way -------------------------------------------------------------------------------


@pytest.mark.usefixtures("hurried")
def test_while_paysuper_is_down_an_event_waits_and_is_processed_by_the_sweeper_later(
    harbour: Project, desk: Desk, paysuper: Sandbox, bells: list[tuple[str, int]]
) -> None:
    uuid = desk.pay()
    Merchant.objects.update(api_url="http://127.0.0.1:1")
    row = process(stored(event(uuid)))
    assert (row.state, row.attempts) == (State.RECEIVED, 1)
    assert row.error
    assert row.try_at > timezone.now()
    assert inbox.due() == bells == []
    # Once it is back nothing waits longer than a minute, however long it was away.
    assert pauses(row, 7) == [4, 8, 16, 32, 60, 60, 60]
    Merchant.objects.update(api_url=paysuper.url)
    WebhookEvent.objects.update(try_at=timezone.now())
    tasks.sweep_webhooks()
    assert bells == [("process_webhook", row.pk)]
    assert process(row).state == State.PROCESSED
    assert (fresh(row).error, Transaction.objects.get().pk) == ("", uuid)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_no_passing_trouble_ever_gives_an_event_up(harbour: Project, desk: Desk, status: int) -> None:
    row = stored(event(desk.pay()))
    desk.refuse(status, "", method="GET", path="", count=None)
    WebhookEvent.objects.update(last_received_at=timezone.now() - dt.timedelta(days=30))
    assert process(row).state == State.RECEIVED
    desk.heal()
    assert process(row).state == State.PROCESSED


def test_an_order_that_paysuper_does_not_know_is_asked_for_more_and_more_seldom(harbour: Project) -> None:
    assert pauses(stored(event(uuid4())), 11) == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_an_order_that_paysuper_does_not_know_is_given_up_after_two_days(harbour: Project) -> None:
    row = process(stored(event(uuid4())))
    assert row.state == State.RECEIVED
    WebhookEvent.objects.update(last_received_at=timezone.now() - dt.timedelta(days=3))
    row = process(row)
    assert (row.state, row.error) == (State.FAILED, "PaySuper does not know this order.")
    assert stored(event(row.order_uuid)).state == State.RECEIVED  # news again


def test_a_worker_that_died_before_processing_is_replaced(
    harbour: Project, order: Transaction, monkeypatch: pytest.MonkeyPatch, bells: list[tuple[str, int]]
) -> None:
    def dying(*_: object) -> None:
        raise SystemExit

    row = stored(event(order.pk))
    with monkeypatch.context() as patched:
        patched.setattr(sync, "refresh", dying)
        with pytest.raises(SystemExit):
            tasks.process_webhook(row.pk)
    WebhookEvent.objects.update(try_at=timezone.now())
    tasks.sweep_webhooks()
    assert bells == [("process_webhook", row.pk)]
    assert process(row).state == State.PROCESSED


def test_an_event_is_rung_for_again_only_after_its_own_bell_had_time(harbour: Project) -> None:
    stored(event(uuid4()))
    assert inbox.due() == []
    WebhookEvent.objects.update(try_at=timezone.now())
    assert len(inbox.due()) == 1


# The log ------------------------------------------------------------------------------------------


def test_the_log_shows_the_event_and_masks_activation_keys(ann: Person, harbour: Project) -> None:
    example = json.loads(
        next(path for path in EXAMPLES if path.name == "webhook.payment.success.key.json").read_text()
    )
    row = stored(example["raw_body"].encode())
    page = ann.browser.get(f"/webhooks/{row.pk}/").content.decode()
    assert "payment.success" in page
    assert "lh-key-std" in page
    assert "LH7QK-2MZP8-V9C4T" not in page
    assert "payment.success" in ann.browser.get("/webhooks/").content.decode()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name.removeprefix("webhook."))
def test_every_example_can_be_looked_at(ann: Person, harbour: Project, path: Path) -> None:
    row = stored(json.loads(path.read_text())["raw_body"].encode())
    page = ann.browser.get(f"/webhooks/{row.pk}/")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content


@pytest.mark.parametrize("body", [b"{}", b'{"object":[{"items":5}]}', b'{"object":{"items":{"code":"K"}}}'])
def test_odd_bodies_can_be_looked_at(ann: Person, harbour: Project, body: bytes) -> None:
    assert ann.browser.get(f"/webhooks/{stored(body).pk}/").status_code == 200


def test_the_log_is_closed_to_those_without_the_right(vera: Person, harbour: Project) -> None:
    row = stored(event(uuid4()))
    assert vera.browser.get("/webhooks/").status_code == 403
    assert vera.browser.get(f"/webhooks/{row.pk}/").status_code == 403


def test_the_endpoint_needs_no_cache_and_no_session(harbour: Project) -> None:
    cache.clear()
    answer = deliver(event(uuid4()))
    assert (answer.status_code, answer.cookies) == (200, {})
