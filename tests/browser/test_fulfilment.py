"""The queue as a person works through it: claim, hand over by item, and withdraw what was charged back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db.models import Count
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from merchant.models import Merchant
from tests.browser.test_every_page import GRAVE
from tests.conftest import HARBOUR
from transactions.models import TO_FULFIL, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULE = f"/settings/projects/{HARBOUR}/fulfilment/"


def basket(merchant: Merchant) -> Transaction:
    """The oldest paid order, with two items or more."""
    paid = Transaction.objects.filter(TO_FULFIL, merchant=merchant).annotate(count=Count("items"))
    entry = paid.filter(count__gte=2).order_by("created_at").first()
    oldest = Transaction.objects.filter(merchant=merchant).earliest("created_at")
    Transaction.objects.filter(pk=entry.pk).update(created_at=oldest.created_at)
    return entry


@pytest.mark.parametrize("script", [True, False])
def test_an_order_is_taken_from_the_queue_handed_over_by_item_and_withdrawn(
    opened: Callable[..., Page], live_merchant: Merchant, script: bool
) -> None:
    page, entry = opened(java_script_enabled=script), basket(live_merchant)
    page.get_by_role("link", name="To fulfil", exact=True).click()
    row = page.locator("tr", has=page.locator(f'a[href="/transactions/{entry.pk}/"]'))
    expect(row).to_contain_text("Overdue")
    row.get_by_role("button", name="I am on it").click()
    expect(row).to_contain_text("You are on it until")
    row.get_by_role("link", name="Fulfil").click()
    boxes = page.locator(".field-items input")
    boxes.first.uncheck()
    assert boxes.count() > 1
    page.get_by_label("Reference").fill("DHL 12")
    page.get_by_role("button", name="Mark as fulfilled").click()
    expect(row).to_contain_text("Partly fulfilled")
    assert "/to-fulfil/" in page.url
    row.get_by_role("link", name="Fulfil").click()
    expect(page.locator(".field-items input")).to_have_count(1)
    page.get_by_role("button", name="Mark as fulfilled").click()
    expect(row).to_have_count(0)

    Transaction.objects.filter(pk=entry.pk).update(status="chargeback")
    page.get_by_role("link", name="To withdraw").click()
    row.get_by_role("link", name="Withdraw").click()
    page.get_by_label("Reason").fill("Keys switched off")
    page.get_by_role("button", name="Withdraw").last.click()
    expect(page.get_by_text("Nothing to withdraw")).to_be_visible()
    page.goto(f"/transactions/{entry.pk}/")
    expect(page.locator("#state")).to_contain_text("Withdrawn")
    expect(page.locator("#timeline")).to_contain_text("DHL 12")


@pytest.mark.parametrize(
    "kind", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}}]
)
def test_the_pages_fit_and_have_no_grave_barrier(
    opened: Callable[..., Page],
    live_server: LiveServer,
    live_merchant: Merchant,
    screenshots: Path,
    kind: dict[str, object],
) -> None:
    page, entry, axe = opened(**kind), basket(live_merchant), Axe()
    name = str(kind.get("color_scheme", "phone"))
    Transaction.objects.filter(pk=entry.pk).update(fulfilment="fulfilled", status="chargeback")
    card = f"/transactions/{entry.pk}/"
    addresses = [
        "/to-fulfil/",
        "/to-fulfil/?list=withdraw",
        "/to-fulfil/?project=x",
        card,
        f"{card}unfulfil/",
        RULE,
    ]
    for number, address in enumerate(addresses):
        page.goto(address)
        page.screenshot(path=screenshots / f"fulfilment-{name}-{number}.png", full_page=True)
        found = [each for each in axe.run(page).response["violations"] if each["impact"] in GRAVE]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
