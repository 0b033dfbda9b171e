"""Refunds as people meet them: the question, the time to take back, the second person, the page of all."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from fulfillment import actions
from fulfillment.models import Action
from merchant import setup
from merchant.models import Membership, Merchant, RefundRules
from tests.conftest import PASSWORD
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

GRAVE = ("serious", "critical")
PHONE = {"viewport": {"width": 360, "height": 740}}
SECONDS = 1000


@pytest.fixture
def ben(live_merchant: Merchant) -> Membership:
    """Support, who needs a second person above €1."""
    values = {"limit_support": 1, "limit_currency": "EUR", "undo_seconds": 60}
    RefundRules.objects.filter(merchant=live_merchant).update(**values)
    return setup.add_member(live_merchant, "ben@example.com", PASSWORD, "support")


@pytest.fixture
def opened(
    browser: Browser, live_server: LiveServer, live_merchant: Merchant
) -> Iterator[Callable[..., Page]]:
    """Opens a browser of a kind and signs somebody in."""

    def sign_in(name: str = "ann", **kind: object) -> Page:
        page = browser.new_context(base_url=live_server.url, **kind).new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(f"{name}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/transactions/")
        return page

    yield sign_in
    for context in browser.contexts:
        context.close()


def orders(merchant: Merchant) -> list[Transaction]:
    paid = Transaction.objects.filter(merchant=merchant, status="processed", type="order", method="BANKCARD")
    return list(paid.filter(charge_currency="EUR", customer_email__contains="@").order_by("-created_at"))


def ask(entry: Transaction, membership: Membership) -> Action:
    seen = (entry.charge_amount, entry.charge_currency)
    return actions.request_refund(
        entry, membership, reason="Customer's request", note="Told by phone", seen=seen
    )


def every_kind(merchant: Merchant, ben: Membership) -> list[Transaction]:
    """Refunds in every part of the page; gives their orders."""
    ann = Membership.objects.get(user__email="ann@example.com")
    found = orders(merchant)
    ask(found[0], ben)
    for entry, state, outcome in (
        (found[1], "needs_person", "PaySuper shows no refund, although our request may have arrived."),
        (found[2], "accepted", ""),
        (found[3], "unknown", "PaySuper's answer was lost."),
        (found[4], "requested", ""),
        (found[5], "declined", "The payment system declined the refund."),
    ):
        action = ask(entry, ann)
        sent = {} if state == "requested" else {"sent_at": action.requested_at, "attempts": 1}
        Action.objects.filter(pk=action.pk).update(state=state, outcome=outcome, **sent)
        Transaction.objects.filter(pk=entry.pk).update(refund_state=state)
    return found[:6]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_refunds_has_a_grave_barrier(
    opened: Callable[..., Page], live_merchant: Merchant, ben: Membership, screenshots: Path, scheme: str
) -> None:
    entries = every_kind(live_merchant, ben)
    page, axe = opened(color_scheme=scheme), Axe()
    waiting = Action.objects.get(state="awaiting_approval")
    cards = [f"/transactions/{entry.pk}/" for entry in (*entries[:2], entries[4])]
    question = f"/transactions/{orders(live_merchant)[7].pk}/refund/"
    pages = ["/refunds/", "/settings/refunds/", f"/actions/{waiting.pk}/decide/", question, *cards]
    pages.append("/accounts/reauthenticate/?next=/refunds/")
    for number, address in enumerate(pages):
        page.goto(address)
        page.screenshot(path=screenshots / f"refunds-{scheme}-{number}.png", full_page=True)
        found = [each for each in axe.run(page).response["violations"] if each["impact"] in GRAVE]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])


def test_no_page_of_refunds_is_wider_than_a_phone(
    opened: Callable[..., Page], live_merchant: Merchant, ben: Membership, screenshots: Path
) -> None:
    entries = every_kind(live_merchant, ben)
    waiting = Action.objects.get(state="awaiting_approval")
    page = opened(**PHONE)
    cards = [f"/transactions/{entry.pk}/" for entry in (*entries[:2], entries[4])]
    question = f"/transactions/{orders(live_merchant)[7].pk}/refund/"
    pages = ["/refunds/", "/settings/refunds/", f"/actions/{waiting.pk}/decide/", question, *cards]
    for number, address in enumerate(pages):
        page.goto(address)
        page.screenshot(path=screenshots / f"refunds-phone-{number}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address


def test_a_refund_counts_down_and_is_taken_back(
    opened: Callable[..., Page], live_merchant: Merchant, ben: Membership, screenshots: Path
) -> None:
    page, entry = opened(), orders(live_merchant)[0]
    page.goto(f"/transactions/{entry.pk}/")
    page.locator("#refund").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("Customer's request")
    page.screenshot(path=screenshots / "refunds-dialog.png")
    dialog.get_by_role("button", name="Refund").click()
    expect(page.locator("#state")).to_contain_text("seconds; until then it can be undone")
    page.get_by_role("button", name="Undo").focus()
    page.screenshot(path=screenshots / "refunds-countdown.png")
    page.wait_for_timeout(2.5 * SECONDS)
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The refund is taken back.")).to_be_visible()
    assert Action.objects.get().state == "undone"


def test_an_amount_that_changes_is_shown_in_the_dialog_and_asked_about_again(
    opened: Callable[..., Page], live_merchant: Merchant, screenshots: Path
) -> None:
    page, entry = opened(), orders(live_merchant)[0]
    page.goto(f"/transactions/{entry.pk}/")
    page.locator("#refund").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("as told by phone")
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=entry.charge_amount + 1)
    dialog.get_by_role("button", name="Refund").click()
    expect(dialog).to_contain_text("The amount has changed")
    expect(dialog.get_by_label("Note")).to_have_value("as told by phone")
    page.screenshot(path=screenshots / "refunds-changed.png")
    assert not Action.objects.exists()
    dialog.get_by_role("button", name="Refund").click()
    expect(page.locator("#state")).to_contain_text("requested")
    assert Action.objects.get().amount == entry.charge_amount + 1


def test_an_old_session_comes_back_from_the_password_to_the_filled_question(
    opened: Callable[..., Page], live_merchant: Merchant, settings
) -> None:
    page, entry = opened(), orders(live_merchant)[0]
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    page.goto(f"/transactions/{entry.pk}/")
    page.locator("#refund").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("as told by phone")
    dialog.get_by_role("button", name="Refund").click()
    page.wait_for_url("**/accounts/reauthenticate/**")
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 1800
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/refund/")
    expect(page.get_by_label("Note")).to_have_value("as told by phone")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator("#state")).to_contain_text("requested")


@pytest.mark.parametrize("scripted", [True, False])
def test_a_second_person_approves_and_both_work_without_javascript(
    opened: Callable[..., Page], live_merchant: Merchant, ben: Membership, scripted: bool
) -> None:
    entry = orders(live_merchant)[0]
    page = opened("ben", java_script_enabled=scripted)
    page.goto(f"/transactions/{entry.pk}/")
    page.locator("#refund").click()
    page.get_by_label("Reason").select_option("Customer's request")
    page.get_by_role("button", name="Refund").click()
    expect(page.locator("#state")).to_contain_text("waits for a second person")

    page = opened("ann", java_script_enabled=scripted)
    page.goto("/refunds/")
    page.get_by_role("link", name="Decide").click()
    page.get_by_label("Note").fill("fine")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(f"**/transactions/{entry.pk}/")
    expect(page.locator("#state")).to_contain_text("approved by ann@example.com")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The refund is taken back.")).to_be_visible()
    assert Action.objects.get().state == "undone"
