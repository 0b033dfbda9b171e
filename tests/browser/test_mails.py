"""Mails and receipts as their readers see them: small and wide, light and dark, in both directions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from fulfillment import mailing, receipts
from fulfillment.models import Message, ReceiptPage
from merchant.models import Merchant
from tests.browser.listing import GRAVE, KINDS
from tests.fulfillment.desk import desk, order
from tests.fulfillment.post_office import tried, we_mail
from tests.fulfillment.test_receipts import changed
from transactions.models import Transaction

__all__ = ["desk", "order"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "The Extraordinarily Long-Winded Collector’s Edition " * 4 + "W" * 90


@pytest.fixture
def screens(browser: Browser, live_server: LiveServer) -> Iterator[list[Page]]:
    """A page of every kind."""
    yield [browser.new_context(base_url=live_server.url, **kind).new_page() for kind in KINDS]
    for context in browser.contexts:
        context.close()


@pytest.fixture
def sold(order: Transaction) -> Transaction:
    """An order with two items, one of a long name, in a shop with a long name."""
    we_mail(order, support_email="help@lantern.example", shop_name="Lantern Harbour & Sons " + "x" * 60)
    items = order.raw_order.document["items"] or []
    first = (items or [{"id": "a", "sku": "", "name": "", "amount": 5, "currency": "EUR"}])[0]
    names = ("Lantern skin", LONG)
    rows = [first | {"id": f"{number:024}", "name": name} for number, name in enumerate(names)]
    return changed(order, items=rows, is_production=False)


def looked_at(page: Page, name: str, screenshots: Path, axe: Axe) -> None:
    width = page.viewport_size["width"] if page.viewport_size else 0
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    page.screenshot(path=screenshots / f"{name}-{width}{'-dark' if dark else ''}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    found = [each for each in axe.run(page).response["violations"] if each["impact"] in GRAVE]
    assert not found, (name, [(each["id"], each["nodes"][0]["html"]) for each in found])


@pytest.mark.parametrize("tag", ["en-GB", "ar-BH", "ru-RU", "ja-JP"])
def test_mails_can_be_read_on_every_screen(
    sold: Transaction, screens: list[Page], screenshots: Path, tag: str
) -> None:
    language, axe = receipts.language_of(tag), Axe()
    receipt = receipts.of_payment(sold, language)
    key = receipts.key_letter(sold, "steam", [LONG], language)
    letters = {
        "receipt": receipts.receipt_letter(receipt, "https://pay.example/receipts/abc/"),
        "key": receipts.with_keys(key, ["A1B2C-D3E4F-G5H6I-" * 3]),
    }
    for page in screens:
        for name, letter in letters.items():
            page.set_content(letter.html)
            assert page.evaluate("document.documentElement.dir") == language.direction
            looked_at(page, f"mail-{name}-{language.tag}", screenshots, axe)


@pytest.mark.parametrize("tag", ["de-DE", "he-IL"])
def test_the_page_of_a_receipt_can_be_read_on_every_screen(
    lantern: Merchant, sold: Transaction, screens: list[Page], screenshots: Path, tag: str
) -> None:
    sold, axe = changed(sold, locale=tag), Axe()
    for page in screens:
        page.goto(f"/receipts/{ReceiptPage.of(sold).token}/")
        looked_at(page, f"receipt-{tag}", screenshots, axe)


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3]])
def test_staff_sees_what_was_mailed(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path, kind: dict[str, Any]
) -> None:
    order = Transaction.objects.filter(merchant=live_merchant, status="processed", type="order").first()
    ann = live_merchant.memberships.get()
    asked_for = mailing.send_again(order, ann, "payment", "someone@example.com", "a-form-of-ann")
    message, axe, page = tried(asked_for), Axe(), opened(**kind)
    assert message.state == "sent"
    addresses = {
        "card": f"/transactions/{order.pk}/",
        "mail-form": f"/transactions/{order.pk}/mail/",
        "message": f"/messages/{message.pk}/",
        "mail-rule": f"/settings/projects/{order.project.paysuper_id}/mail/",
    }
    for name, address in addresses.items():
        page.goto(address)
        looked_at(page, f"page-{name}", screenshots, axe)
    page.goto(addresses["message"])
    page.frame_locator("iframe").get_by_text(str(order)).wait_for()
    page.goto(addresses["card"])
    page.locator("#mail").click()
    page.get_by_role("textbox", name="To").fill("right@example.com")
    page.get_by_role("button", name="Send the mail").click()
    page.get_by_text("The mail is on its way.").wait_for()
    assert Message.objects.get(recipient="right@example.com").requested_by is not None
