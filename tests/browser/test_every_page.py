"""Every page by keyboard, without JavaScript, on a phone, and for people who do not see it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from merchant import audit
from merchant.models import Merchant
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ["/", "/transactions/", "/transactions/?status=processed&q=zzz", "/transactions/?from=x", "/exports/"]
PAGES += [
    "/webhooks/",
    "/team/",
    "/team/rights/",
    "/team/invite/",
    "/account/",
    "/account/leave/",
    "/account/sessions/",
    "/team/second-factor/",
    "/accounts/second-factor/",
    "/accounts/second-factor/totp/activate/",
    "/accounts/second-factor/webauthn/",
    "/accounts/second-factor/webauthn/add/",
    "/accounts/password/change/",
    "/accounts/email/",
    "/settings/",
    "/settings/retention/",
    "/settings/erase-customer/",
    "/operations/",
    "/settings/projects/",
    "/messages/",
    "/settings/testing/",
    "/settings/going-live/",
    "/audit/",
    "/transactions/display/",
    "/transactions/views/",
    "/exports/recipes/",
    "/exports/schedules/",
    "/exports/schedules/new/",
]
GRAVE = ("serious", "critical")


def card_of(merchant: Merchant) -> str:
    entry = Transaction.objects.filter(merchant=merchant, status="processed", method="BANKCARD").latest(
        "created_at"
    )
    return f"/transactions/{entry.uuid}/"


@pytest.fixture(autouse=True)
def audited(live_merchant: Merchant) -> None:
    """Entries of the audit with much and with little in them."""
    before, after = {"limit": "10.00", "roles": ["owner"]}, {"limit": None, "roles": ["owner", "support"]}
    audit.record(live_merchant, None, "refund_rules.changed", live_merchant.pk, before=before, after=after)
    audit.record(
        live_merchant, None, "refund.requested", "5f8a1c0e-9b3d-4e00-81a7-c20100000000", note="Late " * 60
    )
    audit.record(live_merchant, None, "webhook.replayed", "webhooks", count=3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_grave_barrier(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path, scheme: str
) -> None:
    page, axe, card = opened(color_scheme=scheme), Axe(), card_of(live_merchant)
    for number, address in enumerate(
        [*PAGES, card, f"{card}refund/", f"{card}fulfil/", f"{card}replace-key/"]
    ):
        page.goto(address)
        page.screenshot(path=screenshots / f"{scheme}-{number}.png", full_page=True)
        found = [each for each in axe.run(page).response["violations"] if each["impact"] in GRAVE]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])


def test_no_page_is_wider_than_a_phone(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page, card = opened(viewport={"width": 360, "height": 740}), card_of(live_merchant)
    for number, address in enumerate([*PAGES, card, f"{card}refund/", f"{card}replace-key/"]):
        page.goto(address)
        page.screenshot(path=screenshots / f"phone-{number}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_everything_can_be_read_and_refunded_without_javascript(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page, card = opened(java_script_enabled=False), card_of(live_merchant)
    page.get_by_label("Search").fill(card.split("/")[2])
    page.get_by_role("button", name="Show").click()
    page.locator("a[data-row]").first.click()
    page.wait_for_url(f"**{card}?in=*")
    page.locator("#refund").click()
    page.get_by_label("Reason").select_option("Customer's request")
    page.get_by_role("button", name="Refund").click()
    page.wait_for_url(f"**{card}")
    expect(page.locator("#state")).to_contain_text("requested")
    assert Transaction.objects.get(pk=card.split("/")[2]).refund_state == "requested"


def test_the_keyboard_finds_opens_and_comes_back(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.keyboard.press("/")
    expect(page.get_by_label("Search")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 5, "y": 300})
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("a[data-row]").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions/*-*/")
    page.go_back()
    page.wait_for_url("**/transactions/")


def test_filters_stand_in_the_address_and_back_takes_them_away(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened()
    page.get_by_label("Processed").check()
    page.wait_for_url("**status=processed**")
    expect(page.locator(".status-refunded")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Processed")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Processed")).not_to_be_checked()
    page.get_by_label("Pending").check()
    page.wait_for_url("**status=pending**")
    page.locator("a.chip").first.click()
    page.wait_for_url("**/transactions/?")
    expect(page.get_by_label("Pending")).not_to_be_checked()


def test_the_policy_stops_nothing_of_ours(opened: Callable[..., Page], live_merchant: Merchant) -> None:
    page, card, said = opened(), card_of(live_merchant), []
    page.on("console", lambda message: said.append(message.text))
    for address in [*PAGES[:3], "/exports/", "/settings/", card]:
        answer = page.goto(address)
        assert answer is not None
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
    assert said == []
