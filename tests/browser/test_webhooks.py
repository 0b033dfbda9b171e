"""What a developer does with webhooks, in a real browser: set up, test, look, check, replay."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from fulfillment import tasks
from fulfillment.models import WebhookEvent, WebhookTest
from merchant.models import Merchant, Project
from merchant.paysuper.sandbox import Sandbox
from merchant.paysuper.signature import sign
from tests.conftest import HARBOUR, HARBOUR_SECRET, SNOW_SECRET
from tests.fulfillment.webhook_events import deliver, event
from tests.merchant.sandbox_client import client, pay

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PROJECT = f"/settings/projects/{HARBOUR}/"
BODY = json.dumps(json.loads(event("x")), separators=(",", ":"))


@pytest.fixture
def full_log(live_merchant: Merchant, live_paysuper: Sandbox) -> WebhookEvent:
    """A log with something of everything; gives an event whose order has moved on."""
    with client(live_paysuper) as api:
        uuid = pay(api, project_id=HARBOUR)
        paid = deliver_and_process(event(uuid, object={"amount": 11.9, "currency": "EUR", "country": "DE"}))
        api.post(f"/sandbox/orders/{uuid}/chargeback", json={})
        deliver_and_process(event(uuid, "payment.chargeback", "chargeback"))
    deliver_and_process(event(uuid4(), "payment.invented"))
    for number in range(60):
        deliver(event(uuid4(), "payment.cancel", "canceled", id=f"{number:064}"))
    failed = WebhookEvent.objects.filter(event="payment.cancel").latest("pk")
    WebhookEvent.objects.filter(pk=failed.pk).update(
        state="failed", error="PaySuper does not know this order.", milliseconds=41, attempts=9
    )
    for header in ("", "Bearer x", sign(BODY.encode(), SNOW_SECRET)):
        deliver(BODY.encode(), header=header)
    return paid


def deliver_and_process(body: bytes) -> WebhookEvent:
    assert deliver(body).status_code == 200
    row = WebhookEvent.objects.latest("last_received_at")
    tasks.process_webhook(row.pk)
    return row


def addresses(paid: WebhookEvent) -> list[str]:
    failed = WebhookEvent.objects.filter(state="failed").get()
    return [
        "/webhooks/",
        "/webhooks/?order=x",
        "/webhooks/?state=failed",
        f"/webhooks/{paid.pk}/",
        f"/webhooks/{failed.pk}/",
        "/webhooks/refused/",
        "/webhooks/signature/",
        PROJECT,
        "/settings/",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_webhooks_has_a_grave_barrier(
    opened: Callable[..., Page], full_log: WebhookEvent, screenshots: Path, scheme: str
) -> None:
    page, axe = opened(color_scheme=scheme), Axe()
    for number, address in enumerate(addresses(full_log)):
        page.goto(address)
        page.screenshot(path=screenshots / f"webhooks-{scheme}-{number}.png", full_page=True)
        grave = ("serious", "critical")
        found = [each for each in axe.run(page).response["violations"] if each["impact"] in grave]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])


def test_no_page_of_webhooks_is_wider_than_a_phone(
    opened: Callable[..., Page], full_log: WebhookEvent, screenshots: Path
) -> None:
    page = opened(viewport={"width": 360, "height": 740})
    for number, address in enumerate(addresses(full_log)):
        page.goto(address)
        page.screenshot(path=screenshots / f"webhooks-phone-{number}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


@pytest.mark.parametrize("case", ["correct_payment", "invalid_signature"])
def test_a_test_event_is_seen_to_arrive(
    opened: Callable[..., Page], live_merchant: Merchant, worker: None, screenshots: Path, case: str
) -> None:
    page = opened()
    page.goto(PROJECT)
    page.locator("#id_case").select_option(case)
    page.get_by_role("button", name="Send a test event").click()
    page.wait_for_url("**#test")
    words = "turned away, as it should be" if case == "invalid_signature" else "signature was right"
    expect(page.locator("#test-state")).to_contain_text(words, timeout=30_000)
    page.screenshot(path=screenshots / f"webhooks-{case}.png", full_page=True)
    expect(page.locator("#test-state[hx-get]")).to_have_count(0)
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_test_that_nobody_takes_up_says_so_without_javascript(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened(java_script_enabled=False)
    page.goto(PROJECT)
    page.get_by_role("button", name="Send a test event").click()
    expect(page.locator("#test-state")).to_contain_text("Waiting")
    WebhookTest.objects.update(requested_at=timezone.now() - dt.timedelta(minutes=3))
    page.reload()
    expect(page.locator("#test-state")).to_contain_text("no worker has taken this up")


def test_a_secret_is_rotated_and_the_old_one_ended(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page = opened(java_script_enabled=False)
    page.goto("/settings/")
    page.get_by_role("link", name="Lantern Harbour").click()
    page.get_by_label("New secret key").fill("a-quite-new-secret")
    page.get_by_role("button", name="Change the key").click()
    expect(page.locator("main")).to_contain_text("stays good for 48 hours")
    expect(page.locator("main")).to_contain_text("accepted until")
    page.screenshot(path=screenshots / "webhooks-rotated.png", full_page=True)
    page.get_by_role("button", name="Accept the previous key no longer").click()
    expect(page.locator("main")).not_to_contain_text("accepted until")
    project = Project.objects.get(paysuper_id=HARBOUR)
    assert (project.secret_key, project.second_secret) == ("a-quite-new-secret", "")


def test_a_signature_is_checked(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page = opened()
    page.goto("/webhooks/signature/")
    page.get_by_label("Project").select_option(HARBOUR)
    page.get_by_label("Signature header").fill(sign(BODY.encode(), HARBOUR_SECRET))
    page.get_by_label("Body").fill(json.dumps(json.loads(BODY), indent=2))
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#findings")).to_contain_text("without blanks between its members")
    page.screenshot(path=screenshots / "webhooks-clinic.png", full_page=True)


def test_pages_of_the_log_and_replay_of_all_that_failed(
    opened: Callable[..., Page], full_log: WebhookEvent
) -> None:
    page = opened()
    page.goto("/webhooks/")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**cursor=older**")
    page.get_by_role("link", name="Newer").click()
    page.wait_for_url("**cursor=newer**")
    page.goto("/webhooks/?state=failed")
    page.get_by_role("button", name="Process it again now").click()
    expect(page.locator("main")).to_contain_text("1 webhook is processed again")
    expect(page.locator("main")).to_contain_text("None match")
    assert not WebhookEvent.objects.filter(state="failed").exists()
