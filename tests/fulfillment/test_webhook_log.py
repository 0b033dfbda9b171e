"""The log finds, pages, compares and masks; what failed is processed again."""

import datetime as dt
import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from fulfillment import inbox
from fulfillment.models import WebhookEvent
from merchant import paging
from merchant.access import RIGHTS, Right
from merchant.models import AuditEvent, Merchant, Project
from tests.conftest import HARBOUR, KETTLE, KETTLE_SECRET, SNOW, SNOW_SECRET, Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.webhook_events import ADDRESS, deliver, event, process, stored, text_of
from transactions.models import Transaction

EXAMPLES = Path(__file__).parents[1] / "paysuper" / "examples"


def listed(person: Person, query: str = "") -> set[int]:
    """Which events the log shows."""
    page = text_of(person, f"/webhooks/?{query}")
    return {row.pk for row in WebhookEvent.objects.all() if f"/webhooks/{row.pk}/" in page}


def failed(count: int = 1) -> list[WebhookEvent]:
    rows = [stored(event(uuid4(), id=str(uuid4()))) for _ in range(count)]
    WebhookEvent.objects.filter(pk__in=[row.pk for row in rows]).update(state="failed", error="unknown order")
    return rows


# Finding ------------------------------------------------------------------------------------------


def test_every_filter_finds_what_it_names(ann: Person, harbour: Project) -> None:
    paid = stored(event(uuid4(), id="1"))
    made_up = stored(event(uuid4(), id="2", object={"testing_case": "correct_payment"}))
    odd = stored(event(uuid4(), "payment.invented", id="3"))
    snow = event(uuid4(), "payment.refund", id="4")
    assert deliver(snow, ADDRESS.replace(HARBOUR, SNOW), SNOW_SECRET).status_code == 200
    refund = WebhookEvent.objects.get(event="payment.refund")
    WebhookEvent.objects.filter(pk=odd.pk).update(
        state="failed", signed_with="previous", last_received_at=timezone.now() - dt.timedelta(days=40)
    )
    yesterday = (timezone.now() - dt.timedelta(days=1)).date()
    wanted = {
        "": {paid, made_up, odd, refund},
        "state=failed": {odd},
        "state=unsettled": {odd},
        "state=received": {paid, made_up, refund},
        "event=payment.refund": {refund},
        "event=test": {made_up},
        "event=other": {odd},
        f"project={SNOW}": {refund},
        f"order={paid.order_uuid}": {paid},
        "signed_with=previous": {odd},
        "period=last_7_days": {paid, made_up, refund},
        f"last={yesterday}": {odd},
        f"first={yesterday}": {paid, made_up, refund},
        "state=failed&event=test": set(),
    }
    assert {query: listed(ann, query) for query in wanted} == {
        query: {row.pk for row in rows} for query, rows in wanted.items()
    }


@pytest.mark.parametrize(
    "query",
    [
        "state=x", "order=x", "project=x", f"project={KETTLE}", "first=x", "first=2021-03-02&last=2021-03-01",
        "event=%00", "order=%00", "period=never",
    ],
)  # fmt: skip
def test_filters_that_make_no_sense_are_told_and_find_nothing(
    ann: Person, copper: Merchant, harbour: Project, query: str
) -> None:
    stored(event("x"))
    page = text_of(ann, f"/webhooks/?{query}")
    assert "make no sense" in page
    assert listed(ann, query) == set()


def test_pages_hold_every_event_once_forwards_and_backwards(ann: Person, harbour: Project) -> None:
    now = timezone.now()
    row = {"merchant": harbour.merchant, "project": harbour, "event": "payment.success", "body": "{}"}
    for number in range(120):
        WebhookEvent.objects.create(
            **row,
            event_id=str(number),
            object_hash="x",
            try_at=now,
            last_received_at=now - dt.timedelta(seconds=number // 7),
        )
    forwards, cursor = [], ""
    for size in (50, 50, 20):
        page = inbox_page(harbour, cursor)
        assert len(page.rows) == size
        forwards += [each.pk for each in page.rows]
        cursor = page.older
    assert cursor == ""
    assert len(set(forwards)) == 120
    back = inbox_page(harbour, page.newer)
    assert [each.pk for each in back.rows] == forwards[50:100]
    assert (back.older, inbox_page(harbour, back.newer).newer) != ("", None)
    assert inbox_page(harbour, back.newer).newer == ""


def inbox_page(project: Project, cursor: str) -> paging.Page[WebhookEvent]:
    return paging.page(WebhookEvent.objects.filter(project=project), cursor, "last_received_at")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "older~x~1",
        "older~2021-01-01~x",
        "newer~9999-12-31T23:59:59-14:00~1",
        f"older~2021-01-01~{10**30}",
        "older~2021-01-01~-1",
        "%00",
    ],
)
def test_a_cursor_that_makes_no_sense_is_the_first_page(ann: Person, harbour: Project, cursor: str) -> None:
    row = stored(event("x"))
    assert listed(ann, f"cursor={cursor}") == {row.pk}


# Looking ------------------------------------------------------------------------------------------


def test_an_event_stands_beside_the_order_as_it_is_now(ann: Person, desk: Desk, order: Transaction) -> None:
    about = {"amount": 99.5, "currency": "EUR", "country": "DE"}
    row = process(stored(event(order.pk, object=about)))
    desk.charge_back(order.pk)
    process(stored(event(order.pk, "payment.chargeback", "chargeback")))
    page = " ".join(text_of(ann, f"/webhooks/{row.pk}/").split())
    assert "€99.50" in page
    assert '<bdi>processed</bdi></td> <td><span class="status status-amber">' in page
    assert "<bdi>chargeback</bdi></span>" in page
    assert '<bdi class="muted">DE</bdi>' in page


def test_nothing_is_compared_for_an_order_that_is_not_ours(
    ann: Person, cleo: Person, order: Transaction
) -> None:
    deliver(event(order.pk), ADDRESS.replace(HARBOUR, KETTLE), KETTLE_SECRET)
    row = WebhookEvent.objects.get()
    assert "the order now" not in text_of(cleo, f"/webhooks/{row.pk}/")


def test_headers_that_help_are_kept_and_the_signature_never(ann: Person, harbour: Project) -> None:
    row = stored(event("x"))
    assert row.headers["Content-Type"] == "application/json"
    assert "Signature " not in json.dumps(row.headers)
    assert "application/json" in text_of(ann, f"/webhooks/{row.pk}/")


def test_secrets_that_a_game_passed_along_are_masked(ann: Person, harbour: Project) -> None:
    row = stored(event("x", object={"metadata": {"api_token": "abc-unseen", "level": 7}}))
    page = text_of(ann, f"/webhooks/{row.pk}/")
    assert "abc-unseen" not in page
    assert "level" in page


@pytest.mark.parametrize("name", ["webhook.payment.success.simple.json", "webhook.user.validate.json"])
def test_customers_are_masked_for_roles_that_may_not_see_them(
    ben: Person, harbour: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    row = stored(json.loads((EXAMPLES / name).read_text())["raw_body"].encode())
    user = json.loads(row.body)["object"]
    user = user.get("user", user)
    assert user["email"] in text_of(ben, f"/webhooks/{row.pk}/")
    monkeypatch.setitem(RIGHTS, "support", RIGHTS["support"] - {Right.PERSONAL})
    page = text_of(ben, f"/webhooks/{row.pk}/")
    assert user["email"] not in page
    assert user["name"] not in page


def test_it_is_told_how_long_processing_took(ann: Person, order: Transaction) -> None:
    row = process(stored(event(order.pk)))
    assert row.milliseconds is not None
    assert f"{row.milliseconds} ms" in text_of(ann, f"/webhooks/{row.pk}/")


# Again --------------------------------------------------------------------------------------------


def test_one_event_is_processed_again_and_that_is_audited(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    row = process(stored(event(order.pk)))
    desk.charge_back(order.pk)
    ann.browser.post(f"/webhooks/{row.pk}/replay/")
    assert (fresh(row).state, fresh(row).deliveries) == ("received", 1)
    looks_again = 'id="event-state" hx-get'
    assert looks_again in ann.browser.get(f"/webhooks/{row.pk}/").content.decode()
    assert process(row).state == "processed"
    assert looks_again not in ann.browser.get(f"/webhooks/{row.pk}/").content.decode()
    assert fresh(order).status == "chargeback"
    note = AuditEvent.objects.get(event="webhook.replayed")
    assert (note.user, note.subject, note.data) == (ann.membership.user, str(row.pk), {"count": 1})


def test_all_that_failed_of_a_period_are_processed_again(ann: Person, harbour: Project) -> None:
    old, new = failed()[0], failed(2)
    done = stored(event("done", id="done"))
    past = timezone.now() - dt.timedelta(days=40)
    WebhookEvent.objects.filter(pk=old.pk).update(last_received_at=past)
    WebhookEvent.objects.filter(pk=done.pk).update(state="processed")
    assert "2 of these webhooks have failed" in text_of(ann, "/webhooks/?period=last_7_days")
    answer = ann.browser.post("/webhooks/replay/?period=last_7_days", follow=True).content.decode()
    assert "2 webhooks are processed again" in answer
    assert [fresh(row).state for row in (*new, old, done)] == ["received", "received", "failed", "processed"]
    assert (
        "nothing to process again"
        in ann.browser.post("/webhooks/replay/?period=today", follow=True).content.decode()
    )


def test_bad_filters_replay_nothing(ann: Person, harbour: Project) -> None:
    row = failed()[0]
    ann.browser.post("/webhooks/replay/?order=x")
    assert fresh(row).state == "failed"


def test_nobody_replays_foreign_events_or_without_the_right(
    ben: Person, cleo: Person, harbour: Project
) -> None:
    row = failed()[0]
    assert cleo.browser.post(f"/webhooks/{row.pk}/replay/").status_code == 404
    cleo.browser.post("/webhooks/replay/")
    assert ben.browser.post(f"/webhooks/{row.pk}/replay/").status_code == 403
    assert fresh(row).state == "failed"


def test_what_the_sweeper_has_rung_for_is_not_rung_for_at_every_turn(harbour: Project) -> None:
    row = stored(event("x"))
    WebhookEvent.objects.update(try_at=timezone.now())
    assert inbox.due() == [row.pk]
    assert inbox.due() == []
    WebhookEvent.objects.update(try_at=timezone.now())
    assert inbox.due() == [row.pk]
