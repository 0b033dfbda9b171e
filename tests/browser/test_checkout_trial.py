"""From a test payment to the receipt, as a developer of a merchant walks it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from fulfillment.models import MailRule, ReturnPage
from merchant.models import Merchant, Project
from tests.conftest import HARBOUR
from transactions import sync

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_a_test_payment_over_every_step_to_the_receipt(
    opened: Callable[..., Page], live_merchant: Merchant, worker: None, screenshots: Path, scheme: str
) -> None:
    project = Project.objects.get(paysuper_id=HARBOUR)
    ReturnPage.objects.create(project=project, merchant=live_merchant, is_open=True)
    MailRule.objects.create(project=project, merchant=live_merchant, shop_name="Lantern Shop")
    sync.read_projects(live_merchant)
    page = opened(color_scheme=scheme)
    page.goto("/settings/testing/")
    page.get_by_label("What is bought").select_option("product")
    page.get_by_role("button", name="Make the test payment").click()
    steps = page.locator("#steps")
    expect(steps.get_by_role("link", name="See the receipt")).to_be_visible(timeout=40_000)
    expect(steps.get_by_text("done:")).to_have_count(4, timeout=20_000)
    page.screenshot(path=screenshots / f"test-payment-{scheme}.png", full_page=True)
    for name in ("See the webhook", "See the order", "See the page", "See the receipt"):
        address = steps.get_by_role("link", name=name).get_attribute("href")
        answer = page.request.get(str(address))
        assert answer.status == 200, name
    page.goto(str(steps.get_by_role("link", name="See the page").get_attribute("href")))
    expect(page.get_by_role("heading", name="Zahlung eingegangen")).to_be_visible()
    expect(page.locator(".customer-name")).to_have_text("Lantern Shop")
    expect(page.get_by_role("link", name="Beleg")).to_be_visible()
    page.screenshot(path=screenshots / f"test-payment-page-{scheme}.png", full_page=True)


def test_the_list_before_going_live_turns_green_point_by_point(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    sync.read_projects(live_merchant)
    page = opened(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page.goto("/settings/going-live/")
    before = page.locator(".point .status-green").count()
    page.get_by_label("Taken on").fill(timezone.localdate().isoformat())
    page.get_by_label("Where it lies").fill("The safe")
    page.get_by_role("button", name="Note the backup").click()
    expect(page.locator(".point .status-green")).to_have_count(before + 1)
    expect(page.locator("#backups")).to_contain_text("The safe")
    page.screenshot(path=screenshots / "going-live-phone.png", full_page=True)
