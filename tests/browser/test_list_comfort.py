"""The list as one person likes it: columns, density, saved views, keys, and news that push nothing away."""

import datetime as dt
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from merchant.models import AuditEvent, Merchant
from tests.browser.listing import LIST, arrive, look, titles
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What has the focus, in a word.
WHERE = """(({id, dataset, textContent}) =>
    id.startsWith("tx-") ? "row" : dataset.key || id || textContent.trim())(document.activeElement)"""


def test_columns_are_chosen_and_moved_in_a_dialog_that_keeps_the_focus(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.goto(f"{LIST}?status=processed")
    page.get_by_role("link", name="Columns").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Customer e-mail").check()
    dialog.get_by_label("Country").uncheck()
    for _ in range(2):
        dialog.get_by_role("button", name="Move Amount up").press("Enter")
        page.wait_for_timeout(400)
    expect(dialog.get_by_role("button", name="Move Amount up")).to_be_focused()
    expect(dialog.get_by_label("Customer e-mail")).to_be_checked()
    assert "Customer e-mail" not in titles(page)  # nothing is kept before it is saved
    dialog.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/transactions/?status=processed")
    assert titles(page) == [
        "Status", "Project", "Product", "Date & time", "Amount", "Method", "Transaction ID",
        "Customer e-mail", "Actions",
    ]  # fmt: skip
    page.get_by_role("link", name="Columns").click()
    dialog.get_by_role("button", name="PaySuper's columns").click()
    page.wait_for_url("**/transactions/?status=processed")
    assert "Country" in titles(page)


def test_columns_density_and_size_need_no_javascript(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened(java_script_enabled=False)
    page.get_by_role("link", name="Columns").click()
    page.get_by_label("Net").check()
    page.get_by_role("button", name="Move Net up").click()
    page.get_by_role("button", name="Save", exact=True).click()
    assert "Net" in titles(page)
    page.get_by_role("button", name="Compact").click()
    expect(page.locator("table.rows.compact")).to_be_visible()
    page.get_by_role("button", name="25", exact=True).click()
    expect(page.locator("[data-row]")).to_have_count(25)
    page.goto(f"{LIST}?size=50")
    expect(page.locator("[data-row]")).to_have_count(50)


def test_a_view_is_saved_opened_first_shared_renamed_and_deleted(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.get_by_label("Processed").check()
    page.wait_for_url("**status=processed**")
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name").fill("Paid ones")
    page.get_by_label("Open my list with it").check()
    page.get_by_role("button", name="Save", exact=True).click()
    views = page.get_by_role("navigation", name="Saved views")
    expect(views.get_by_role("link", name="Paid ones")).to_have_attribute("aria-current", "page")

    page.get_by_role("link", name="Transactions", exact=True).click()
    expect(page.get_by_label("Processed")).to_be_checked()
    page.locator("a.chip").click()  # the last filter: everything, and not the default again
    expect(page.get_by_label("Processed")).not_to_be_checked()
    expect(views.get_by_role("link", name="All transactions")).to_have_attribute("aria-current", "page")
    page.get_by_label("Pending").check()
    page.wait_for_url("**status=pending**")
    expect(views.locator("[aria-current]")).to_have_count(0)
    page.get_by_label("Pending").uncheck()
    page.wait_for_url("**/transactions/?view=all")
    page.reload()
    expect(page.get_by_label("Processed")).not_to_be_checked()

    page.get_by_role("link", name="Manage views").click()
    page.locator("summary", has_text="Change").click()
    page.get_by_label("Name").fill("Sold")
    page.get_by_label("Share with the team").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("The view “Sold” is saved.")
    assert AuditEvent.objects.filter(event="view.shared").count() == 1
    page.locator("summary", has_text="Change").click()
    page.get_by_role("button", name="Delete for everybody").click()
    expect(page.get_by_text("No saved views yet")).to_be_visible()


def test_new_payments_announce_themselves_and_move_nothing(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    first = page.locator("[data-row]").first
    before, place = first.get_attribute("href"), first.bounding_box()
    look(page)
    page.wait_for_timeout(500)
    expect(page.locator("[data-new]")).to_have_count(0)

    arrive(live_merchant, 3)
    look(page)
    expect(page.locator("#newer[role=status]")).to_contain_text("3 new – show")
    assert (first.get_attribute("href"), first.bounding_box()) == (before, place)
    assert page.title().startswith("(3 new) Transactions")

    page.get_by_role("link", name="3 new").click()
    expect(page.locator("[data-new]")).to_have_count(0)
    expect(first).to_be_focused()
    assert first.get_attribute("href") != before
    assert page.title().startswith("Transactions")


def test_news_keep_to_the_filters_and_to_the_top_of_the_newest(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    for address in ("?sort=amount", "?cursor=last"):
        page.goto(LIST + address)
        expect(page.locator("#newer")).to_have_count(0)
    page.goto(f"{LIST}?status=pending")
    arrive(live_merchant)
    look(page)
    page.wait_for_timeout(500)
    expect(page.locator("[data-new]")).to_have_count(0)
    page.goto(f"{LIST}?status=processed&q=nobody@nowhere.example")
    expect(page.get_by_text("None match these filters")).to_be_visible()
    Transaction.objects.filter(pk=Transaction.objects.latest("created_at").pk).update(
        customer_email="nobody@nowhere.example"
    )
    look(page)
    expect(page.locator("[data-new]")).to_have_text("1 new – show")


def test_a_tab_that_nobody_sees_asks_nothing_and_looks_when_it_is_seen(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page, asked = opened(), []
    page.clock.install()
    page.goto(LIST)
    page.on("request", lambda request: asked.append(request.url) if "/newer/" in request.url else None)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true})"
    page.evaluate(hide % "true")
    page.clock.run_for(120_000)
    assert asked == []
    page.evaluate(hide % "false")
    with page.expect_request("**/newer/**"):
        look(page)
    with page.expect_request("**/newer/**"):
        page.clock.run_for(21_000)


def test_utc_shows_beside_the_time_of_the_focused_row_without_a_stop_of_its_own(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    time = page.locator("tbody time").first
    said = "getComputedStyle(document.querySelector('tbody time'), '::after').content"
    assert page.evaluate(said) == "none"
    page.keyboard.press("j")
    entry = Transaction.objects.get(pk=page.locator("[data-row]").first.get_attribute("href").split("/")[2])
    utc = entry.created_at.astimezone(dt.UTC).strftime("%d.%m.%Y, %H:%M:%S UTC")
    assert page.evaluate(said) == f'"{utc}"'
    assert time.get_attribute("title") == utc
    assert dt.datetime.fromisoformat(time.get_attribute("datetime")) == entry.created_at
    assert page.locator("tbody time[tabindex]").count() == 0
    assert page.get_by_text("Times in Europe/Berlin").count() == 1


def test_the_keyboard_fulfils_refunds_and_returns_to_its_row(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.goto(f"{LIST}?status=processed&method=BANKCARD&type=order")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("[data-row]").nth(1)
    for key, question in (("f", "Mark as fulfilled?"), ("r", "Refund")):
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("heading", name=question)).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(second).to_be_focused()
    page.keyboard.press("?")
    help_text = page.get_by_role("dialog", name="Keyboard").inner_text()
    for key in ("/", "j", "k", "Enter", "f", "r", "?", "Tab"):
        assert key in help_text
    page.keyboard.press("Escape")
    expect(second).to_be_focused()

    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions/*-*/**")
    page.keyboard.press("r")
    expect(page.get_by_role("dialog").get_by_role("heading", name="Refund")).to_be_visible()
    page.keyboard.press("Escape")
    page.go_back()
    expect(page.locator("[data-row]").nth(1)).to_be_focused()


def test_a_key_for_what_is_greyed_says_why(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened()
    page.goto(f"{LIST}?status=refunded&type=order")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator(":focus")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("This order has been refunded.").first).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1)).to_be_focused()


def test_everything_that_has_a_key_is_reached_by_tab(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.goto(f"{LIST}?status=processed&method=BANKCARD&type=order")
    reached = set()
    for _ in range(70):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(WHERE))
    assert {"id_q", "row", "f", "r", "Columns", "Compact", "Save view"} <= reached
    page.locator("[data-open=keys]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
