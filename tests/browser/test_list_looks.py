"""The list as it looks: empty in four ways, in every width and colour, at double size, with money in line."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from merchant import setup
from merchant.models import Merchant, User
from tests.browser.listing import KINDS, LIST, arrive, check, look, titles
from tests.conftest import PASSWORD
from transactions.models import SyncState, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Where the money of each row ends, and with which figures it is written.
ENDS = """cells => cells.map(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return [Math.round(range.getBoundingClientRect().right), getComputedStyle(cell).fontVariantNumeric];
})"""


def test_the_four_kinds_of_empty_are_told_apart(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page = opened()
    page.goto(f"{LIST}?q=nobody@nowhere.example")
    expect(page.get_by_role("heading", name="None match these filters")).to_be_visible()
    check(page, screenshots, "empty-no-match")
    page.get_by_role("link", name="Clear all filters").click()
    expect(page.locator("[data-row]").first).to_be_visible()

    Transaction.objects.all().delete()
    page.goto(LIST)
    expect(page.get_by_role("heading", name="No transactions yet")).to_be_visible()
    check(page, screenshots, "empty-none-yet")

    seen_at = dt.datetime(2026, 3, 1, 11, 31, tzinfo=dt.UTC)
    SyncState.objects.update(succeeded_at=seen_at, failed_at=timezone.now(), error="no answer")
    page.goto(LIST)
    expect(page.get_by_role("heading", name="Cannot reach PaySuper")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("as of 01.03.2026, 12:31:00")
    check(page, screenshots, "empty-cannot-reach")

    SyncState.objects.update(succeeded_at=None)
    page.goto(LIST)
    expect(page.locator(".empty")).to_contain_text("Nothing could be read from PaySuper yet")

    User.objects.get(email="ann@example.com").memberships.all().delete()
    assert page.goto(LIST).status == 403
    expect(page.get_by_role("heading", name="No permission")).to_be_visible()
    check(page, screenshots, "empty-no-permission")


def test_somebody_who_may_not_act_is_shown_no_actions(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    setup.add_member(live_merchant, "ann@example.com", PASSWORD, "view_only")
    page = opened()
    assert titles(page)[-1] == "Amount"
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.goto("/team/")
    expect(page.get_by_role("heading", name="No permission")).to_be_visible()


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: f"{kind['viewport']['width']}-{kind['color_scheme']}"
)
def test_every_state_of_the_list_can_be_used_by_everybody(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path, kind: dict
) -> None:
    page, name = opened(**kind), f"{kind['viewport']['width']}-{kind['color_scheme']}"
    page.goto(f"{LIST}?status=processed")
    arrive(live_merchant, 2)
    look(page)
    expect(page.locator("[data-new]")).to_be_visible()
    check(page, screenshots, f"news-{name}")
    page.locator("summary", has_text="Save view").click()
    check(page, screenshots, f"saving-{name}")
    page.get_by_label("Name").fill("Paid ones, a name that goes on and on for long")
    page.get_by_label("Share with the team").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Columns").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check(page, screenshots, f"columns-{name}")
    for column in ("Customer e-mail", "Net", "Paid at", "Order ID"):
        page.get_by_role("dialog").get_by_label(column, exact=True).check()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Compact").click()
    expect(page.locator("table.compact")).to_be_visible()
    check(page, screenshots, f"compact-{name}")
    greyed = page.locator(".row-actions [aria-disabled=true]").first
    greyed.focus()
    tip = page.locator(".blocked:focus-within .tip")
    expect(tip).to_be_visible()
    box = tip.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= kind["viewport"]["width"]
    page.goto("/transactions/views/")
    page.locator("summary", has_text="Change").click()
    check(page, screenshots, f"views-{name}")


def test_the_list_is_whole_at_double_size(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page = opened(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    for address in (LIST, "/transactions/display/", "/transactions/views/"):
        page.goto(address)
        check(page, screenshots, f"zoomed{address.replace('/', '-')}")


def test_money_stands_in_line(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened()
    ends = page.locator("td.cell-amount").evaluate_all(ENDS)
    assert len({tuple(end) for end in ends}) == 1
    assert ends[0][1] == "tabular-nums"


def test_status_is_a_word_an_icon_and_a_colour(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page = opened()
    colours = {}
    for status in ("created", "pending", "processed", "refunded", "rejected"):
        page.goto(f"{LIST}?status={status}&type=order")
        shown = page.locator(".cell-status .status").first
        expect(shown).to_have_text(status.capitalize())
        expect(shown.locator("use")).to_have_attribute("href", f"/static/icons.svg#{status}")
        colours[status] = shown.evaluate("each => getComputedStyle(each).color")
    assert len(set(colours.values())) == 5
