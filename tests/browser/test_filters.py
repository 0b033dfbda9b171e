"""Tabs, chips, filters and the search box in a real browser: with and without scripts, wide and narrow."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from merchant.models import Merchant
from tests.browser.listing import GRAVE, KINDS, LIST
from tests.conftest import HARBOUR
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MANY = (
    f"?status=refunded&status=chargeback&project={HARBOUR}&currency=EUR&currency=JPY&from=2026-01-01"
    "&amount_min=5&method=BRAND_NEW&mode=live&type=order&q=mara"
)


def chips(page: Page) -> list[str]:
    return page.locator(".chip-text").all_inner_texts()


def tab(page: Page, label: str):
    return page.locator("a.tab", has_text=label)


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: f"{kind['viewport']['width']}-{kind['color_scheme']}"
)
def test_the_pages_look_right_and_bar_nobody(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path, kind: dict
) -> None:
    page, name = opened(**kind), f"{kind['viewport']['width']}-{kind['color_scheme']}"
    entry = Transaction.objects.filter(merchant=live_merchant).exclude(transaction_id="").first()
    assert entry
    pages = [
        "",
        "?status=processed",
        MANY,
        "?q=0077",
        f"?q={entry.transaction_id}&country=DE",
        "?from=abc&amount_min=x",
    ]
    for number, query in enumerate(pages):
        page.goto(LIST + query)
        page.screenshot(path=screenshots / f"filters-{name}-{number}.png", full_page=True)
        found = [each for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE]
        assert not found, (query, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), query
        for box in (each.bounding_box() for each in page.locator("a.tab").all()):
            assert box
            assert 0 <= box["x"] <= box["x"] + box["width"] <= kind["viewport"]["width"], (
                "a tab is out of reach"
            )


@pytest.mark.parametrize("scripts", [True, False])
def test_a_tab_shows_its_rows_and_is_marked(
    opened: Callable[..., Page], live_merchant: Merchant, scripts: bool
) -> None:
    page = opened(java_script_enabled=scripts)
    expect(tab(page, "All")).to_have_attribute("aria-current", "page")
    number = Transaction.objects.filter(merchant=live_merchant, status="refunded").count()
    expect(tab(page, "Refunded")).to_contain_text(str(number))
    tab(page, "Refunded").click()
    page.wait_for_url("**/transactions/?status=refunded")
    expect(tab(page, "Refunded")).to_have_attribute("aria-current", "page")
    expect(tab(page, "All")).not_to_have_attribute("aria-current", "page")
    expect(page.get_by_label("Refunded", exact=True)).to_be_checked()
    expect(page.locator(".rows .status")).to_have_count(number)
    tab(page, "Failed").click()
    page.wait_for_url("**/transactions/?status=rejected&status=canceled")
    assert chips(page) == ["Status: Rejected", "Status: Canceled"]
    page.go_back()
    expect(tab(page, "Refunded")).to_have_attribute("aria-current", "page")


def test_tabs_follow_the_filters_without_a_new_page(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.evaluate("window.stayed = true")
    page.get_by_label("Processed", exact=True).check()
    page.wait_for_url("**status=processed**")
    expect(tab(page, "Processed")).to_have_attribute("aria-current", "page")
    page.get_by_label("Period").select_option("Today")
    page.wait_for_url("**period=today**")
    entries = Transaction.objects.filter(merchant=live_merchant)
    expect(tab(page, "All")).not_to_contain_text(str(entries.count()))
    assert page.evaluate("window.stayed")
    tab(page, "All").click()
    page.wait_for_url(re.compile(r"/transactions/\?period=today$"))


def test_every_chip_takes_its_own_filter_away(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened()
    page.goto(LIST + MANY)
    all_of_them = chips(page)
    assert all_of_them == [
        "Search: mara",
        "From: 2026-01-01",
        "Status: Refunded",
        "Status: Chargeback",
        "Project: Lantern Harbour",
        "Method: BRAND_NEW",
        "Currency: EUR",
        "Currency: JPY",
        "Amount from: 5",
        "Type: Order",
        "Mode: Live",
    ]
    for number in range(len(all_of_them)):
        page.locator("a.chip", has_text=all_of_them[number]).click()
        expect(page.locator("a.chip")).to_have_count(len(all_of_them) - number - 1)
        assert chips(page) == all_of_them[number + 1 :]
    page.go_back()
    assert chips(page) == ["Mode: Live"]
    page.goto(LIST + MANY)
    page.get_by_role("link", name="Clear all", exact=True).click()
    page.wait_for_url(re.compile(r"/transactions/$"))
    expect(page.locator("a.chip")).to_have_count(0)


def test_filters_survive_a_reload_and_back_goes_one_step(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.locator(".more summary").click()
    page.get_by_label("Mode").select_option("Live")
    page.wait_for_url("**mode=live**")
    page.get_by_label("EUR", exact=True).check()
    page.wait_for_url("**currency=EUR**")
    page.get_by_label("USD", exact=True).check()
    page.wait_for_url("**currency=EUR&currency=USD**")
    page.reload()
    expect(page.get_by_label("USD", exact=True)).to_be_checked()
    expect(page.get_by_label("Mode")).to_have_value("live")
    assert chips(page) == ["Currency: EUR", "Currency: USD", "Mode: Live"]
    page.go_back()
    page.wait_for_url(re.compile("currency=EUR(?!.*USD)"))
    expect(page.get_by_label("USD", exact=True)).not_to_be_checked()
    assert chips(page) == ["Currency: EUR", "Mode: Live"]


def test_what_was_chosen_last_counts_a_period_or_dates(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.get_by_label("Period").select_option("Last month")
    page.wait_for_url("**period=last_month**")
    page.get_by_label("From", exact=True).fill("2026-01-01")
    page.get_by_label("From", exact=True).blur()
    page.wait_for_url("**from=2026-01-01**")
    expect(page.get_by_label("Period")).to_have_value("")
    assert "period" not in page.url
    page.get_by_label("Period").select_option("This quarter")
    page.wait_for_url("**period=this_quarter**")
    assert "from" not in page.url
    expect(page.get_by_label("From", exact=True)).to_have_value("")


def test_the_search_box_says_what_it_took_a_text_for(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    box, says = page.get_by_label("Search"), page.locator(".search-says")
    expect(page.locator("#id_q_helptext")).to_contain_text("12.50 EUR")
    box.fill("4242")
    expect(says).to_have_text("Looking for: card ending 4242, amount 4,242, or customer ID 4242.")
    box.fill("€12,50")
    expect(says).to_have_text("Looking for: amount €12.50.")
    box.fill("pl")
    expect(says).to_contain_text("Type at least 3 characters")
    box.fill("play")
    expect(says).to_contain_text("e-mail address with “play” in it")
    expect(box).to_be_focused()
    entry = Transaction.objects.filter(merchant=live_merchant, status="processed").first()
    assert entry
    page.goto(f"{LIST}?status=refunded&q={entry.pk}")
    expect(says).to_have_text("Found by ID; the other filters are set aside.")
    expect(page.locator("a[data-row]")).to_have_count(1)
    expect(page.locator("a.tab[aria-current]")).to_have_count(0)
    expect(page.locator(".chip.aside")).to_have_count(1)
    tab(page, "Processed").click()  # leaves the search behind
    page.wait_for_url("**/transactions/?status=processed")


def test_a_mistake_is_said_beside_its_field_and_goes_with_it(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.locator(".more summary").click()
    page.get_by_label("Amount from").fill("10")
    page.get_by_label("Amount to").fill("5")
    page.get_by_label("Amount to").blur()
    says = page.locator("#id_amount_max_says")
    expect(says).to_have_text("This is less than the smallest amount.")
    expect(page.locator("a[data-row]")).to_have_count(0)
    page.get_by_label("Amount to").fill("50")
    page.get_by_label("Amount to").blur()
    expect(says).to_have_text("")
    expect(page.locator("a[data-row]").first).to_be_visible()


def test_the_rows_come_first_and_the_filters_unfold_when_they_are_wanted(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened(viewport={"width": 360, "height": 880})
    page.goto(f"{LIST}?country=DE")
    expect(page.locator(".rows tbody tr").first).to_be_in_viewport()
    expect(page.get_by_label("Search")).to_be_in_viewport()
    for label in ("From", "Country", "Refunded"):
        expect(page.get_by_label(label, exact=True)).to_be_hidden()
    page.locator(".more summary").click()
    for label in ("From", "Country", "Refunded"):
        expect(page.get_by_label(label, exact=True)).to_be_visible()
    page.goto(f"{LIST}?from=2026-02-01&to=2026-01-01")
    expect(page.locator("#id_to_says")).to_be_visible()


def test_without_scripts_the_bar_of_selected_rows_covers_no_row_of_a_phone(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened(viewport={"width": 360, "height": 800}, java_script_enabled=False)
    expect(page.locator("#bulk")).not_to_be_in_viewport()
    page.locator("#bulk").scroll_into_view_if_needed()
    expect(page.locator("#bulk")).to_be_in_viewport()


def test_a_printed_list_has_nothing_to_press(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened()
    page.emulate_media(media="print")
    expect(page.locator(".rows tbody tr").first).to_be_visible()
    for pressed in (
        ".list-tools",
        ".rows .cell-select >> nth=1",
        ".rows .row-actions >> nth=0",
        ".tabs",
        ".filters",
    ):
        expect(page.locator(pressed)).to_be_hidden()
