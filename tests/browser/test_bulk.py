"""Rows are selected, previewed, confirmed and followed in a real browser, with and without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from fulfillment.models import Action
from merchant.models import Merchant
from tests.browser.test_every_page import GRAVE
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 1000
BOXES = '#list [name="row"]'
REFUNDABLE = "/transactions/?status=processed&method=BANKCARD&type=order"


def barriers(page: Page) -> list[tuple[str, str]]:
    found = [each for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE]
    return [(each["id"], each["nodes"][0]["html"]) for each in found]


def ticked(page: Page) -> int:
    return page.locator(f"{BOXES}:checked").count()


def test_rows_are_ticked_by_mouse_range_key_and_page(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page = opened()
    bar, boxes, said = page.locator("#bulk"), page.locator(BOXES), page.locator("#selected")
    expect(bar).to_be_hidden()
    boxes.nth(1).check()
    expect(said).to_have_text("1 selected")
    assert page.url.endswith("/transactions/")  # ticking opens no row
    boxes.nth(5).click(modifiers=["Shift"])
    expect(said).to_have_text("5 selected")
    boxes.nth(3).uncheck()
    expect(said).to_have_text("4 selected")
    page.screenshot(path=screenshots / "bulk-bar.png")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(said).to_have_text("3 selected")
    page.keyboard.press("x")
    expect(said).to_have_text("4 selected")
    page.get_by_label("Select this page").check()
    expect(said).to_have_text("50 selected")
    everything = page.get_by_label("that match")
    everything.check()
    expect(said).to_have_text(f"{Transaction.objects.count()} selected")
    boxes.nth(0).uncheck()
    expect(everything).to_be_hidden()
    expect(said).to_have_text("49 selected")
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert ticked(page) == 0


def test_support_refunds_three_rows_together_and_watches_them_come_to_their_end(
    opened: Callable[..., Page], live_merchant: Merchant, worker: None, screenshots: Path, tmp_path: Path
) -> None:
    page = opened()
    page.goto(REFUNDABLE)
    for number in range(3):
        page.locator(BOXES).nth(number).check()
    page.get_by_role("button", name="Refund …").click()
    page.wait_for_url("**/batches/*/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Refund 3 of 3 selected rows?")
    page.get_by_label("Reason").select_option("Purchase not provided")
    page.get_by_label("Type REFUND 3 to confirm").fill("REFUND 2")
    page.get_by_role("button", name="Refund 3 orders").click()
    expect(page.get_by_text("Type REFUND 3 exactly")).to_be_visible()
    page.screenshot(path=screenshots / "bulk-mistyped.png", full_page=True)
    page.get_by_label("Type REFUND 3 to confirm").fill("REFUND 3")
    page.get_by_role("button", name="Refund 3 orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Refunds of 3 rows")
    page.screenshot(path=screenshots / "bulk-running.png", full_page=True)
    expect(page.get_by_text("Every row has come to its end.")).to_be_visible(timeout=60 * SECONDS)
    # One of these three has no refund tariff at PaySuper.
    refunded = Action.objects.filter(state="refunded").count()
    assert (refunded, Action.objects.filter(state="refused").count()) == (2, 1)
    expect(page.locator(".cell-verdict .status-green")).to_have_count(2)
    expect(page.locator(".cell-verdict .status-red")).to_have_count(1)
    page.screenshot(path=screenshots / "bulk-done.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Results as CSV").click()
    download.value.save_as(tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text("utf-8-sig").count(",Refunded,") == 2


def test_everything_works_without_javascript(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened(java_script_enabled=False)
    page.goto(f"{REFUNDABLE}&size=25")
    page.get_by_label("Select this page").check()
    page.get_by_role("button", name="Fulfil …").click()
    page.wait_for_url("**/batches/*/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("of 25 selected rows?")
    going = page.locator(".cell-verdict .status-blue").count()
    page.get_by_label("to confirm").fill(f"fulfil {going}")
    page.get_by_role("button", name=f"Fulfil {going} orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Fulfilment of {going} rows")
    expect(page.get_by_text("Reload the page to see")).to_be_visible()
    page.goto("/transactions/")
    page.locator("#bulk").get_by_role("button", name="Refund …").click()
    expect(page.get_by_text("Select at least one row first.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_pages_of_many_rows_have_no_grave_barrier_and_fit(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path, scheme: str, width: int
) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 760})
    name = f"{scheme}-{width}"

    def look(what: str, *, whole: bool = True) -> None:
        page.screenshot(path=screenshots / f"bulk-{what}-{name}.png", full_page=whole)
        assert barriers(page) == [], what
        assert page.evaluate("document.documentElement.scrollWidth") <= width, what

    page.get_by_label("Select this page").check()
    look("list", whole=False)
    page.get_by_role("button", name="Refund …").click()
    page.wait_for_url("**/batches/*/")
    look("preview")
    page.get_by_label("Reason").select_option("Customer's request")
    said = page.locator('label[for="id_typed"]').inner_text()
    page.get_by_label("to confirm").fill(said.removeprefix("Type ").removesuffix(" to confirm"))
    page.locator("form.batch-ask button").click()
    expect(page.locator("#batch")).to_be_visible()
    look("progress")
    page.goto("/batches/")
    look("list-of-batches")
