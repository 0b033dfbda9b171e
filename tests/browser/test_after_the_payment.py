"""What follows a payment, as a merchant's people live it: goods, a change of mind, money back, goods back.

Support (Ben) hands over, and asks for more than he may give back alone; the owner (Ann) decides. A real
PaySuper, worker and browser take part, and a shop's own server where orders are fulfilled without hands.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from fulfillment.models import Action
from merchant import setup
from merchant.models import Merchant, RefundRules
from merchant.paysuper.sandbox import Sandbox
from tests.browser.checkout import paid_by_card
from tests.conftest import HARBOUR, PASSWORD
from tests.fulfillment.shop import Said, Shop
from tests.test_docs_merchant_server import sample
from tests.transactions.syncing import asked

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 1000
UNDO_SECONDS = 6


@pytest.fixture(autouse=True)
def servers_at_home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shop's server listens on this machine; the worker, which calls it, may too."""
    settings.ALLOW_PRIVATE_SERVERS = True
    monkeypatch.setenv("ALLOW_PRIVATE_SERVERS", "true")


@pytest.fixture
def people(
    browser: Browser, live_server: LiveServer, live_merchant: Merchant
) -> Iterator[Callable[..., Page]]:
    """Opens browsers of Ann, who owns a merchant connected just now, and Ben: support, alone up to €1."""
    rules = {"limit_support": 1, "limit_currency": "EUR", "undo_seconds": UNDO_SECONDS}
    RefundRules.objects.filter(merchant=live_merchant).update(**rules)
    Merchant.objects.filter(pk=live_merchant.pk).update(created_at=timezone.now())
    setup.add_member(live_merchant, "ben@example.com", PASSWORD, "support")
    contexts: list[BrowserContext] = []

    def sign_in(name: str, **kind: object) -> Page:
        contexts.append(browser.new_context(base_url=live_server.url, **kind))
        page = contexts[-1].new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(f"{name}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/transactions/")
        return page

    yield sign_in
    for context in contexts:
        context.close()


def pay(browser: Browser, paysuper: Sandbox) -> str:
    """A customer buys two things at the checkout and pays by card; gives the order's id."""
    page = browser.new_context(base_url=paysuper.url).new_page()
    page.goto(f"/sandbox/checkout/?project={HARBOUR}")
    page.get_by_label("product: of the list below").check()
    page.get_by_label("Rowing Boat & Oars").check()
    page.get_by_label("Owl with two lines").check()
    page.get_by_label("Customer's name").fill("Mara Lind")
    return paid_by_card(page)


def row_of(page: Page, uuid: str) -> Locator:
    """The row of an order in the queue."""
    return page.locator("tr", has=page.locator(f'a[href^="/transactions/{uuid}/"]'))


def see(page: Page, place: Locator) -> None:
    """Wait for something that arrives from PaySuper, as people do who press Reload."""
    for _ in range(60):
        if place.count():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(place).to_be_visible()


def ask_for_refund(page: Page) -> None:
    page.locator("#refund").click()
    page.get_by_label("Note").last.fill("Bought twice")
    # With its amount, in whatever currency the customer was charged.
    page.get_by_role("button", name=re.compile(r"Refund \S*\d")).last.click()
    expect(page.locator("#state")).to_contain_text("waits for a second person")


@pytest.mark.parametrize("scripted", [True, False])
def test_from_the_payment_over_goods_and_refund_to_goods_taken_back(
    browser: Browser,
    people: Callable[..., Page],
    live_paysuper: Sandbox,
    worker: None,
    scripted: bool,
) -> None:
    uuid = pay(browser, live_paysuper)
    ben = people("ben", java_script_enabled=scripted)
    ben.goto("/to-fulfil/")
    row = row_of(ben, uuid)
    see(ben, row)
    row.get_by_role("button", name="I am on it").click()
    expect(row).to_contain_text("You are on it")
    row.get_by_role("link", name="Fulfil").click()
    ben.get_by_label("Owl with two lines").uncheck()
    ben.get_by_role("button", name="Mark as fulfilled").click()
    expect(row).to_contain_text("Partly fulfilled")
    row.get_by_role("link", name="Fulfil").click()
    ben.get_by_role("button", name="Mark as fulfilled").click()
    expect(row).to_have_count(0)

    ben.goto(f"/transactions/{uuid}/")
    ask_for_refund(ben)
    ben.get_by_role("button", name="Undo", exact=True).click()
    expect(ben.get_by_text("The refund is taken back.")).to_be_visible()
    ask_for_refund(ben)

    ann = people("ann", java_script_enabled=scripted)
    ann.goto("/refunds/")
    ann.get_by_role("link", name="Decide").click()
    ann.get_by_role("button", name="Approve").click()
    ann.wait_for_url(f"**/transactions/{uuid}/")
    expect(ann.locator("#state")).to_contain_text("until then it can be undone")
    assert asked(live_paysuper, "refunds", "POST") == 0
    withdraw = ann.get_by_role("button", name="Withdraw fulfilment")
    if scripted:
        expect(withdraw).to_be_visible(timeout=40 * SECONDS)
    else:
        see(ann, withdraw)
    ann.get_by_label("How they were taken back").fill("Key switched off")
    withdraw.click()
    expect(ann.locator("#state")).to_contain_text("Withdrawn by ann@example.com")
    for told in (
        "Fulfilment withdrawn",
        "Refund approved",
        "Webhook payment.refund",
        "Taken back before it was",
    ):
        expect(ann.locator("#timeline")).to_contain_text(told)
    assert asked(live_paysuper, "refunds", "POST") == 1
    states = Action.objects.filter(kind="refund").order_by("pk").values_list("state", flat=True)
    assert list(states) == ["undone", "refunded"]


def test_a_shops_server_takes_what_was_paid_and_is_asked_again_by_a_button(
    browser: Browser,
    people: Callable[..., Page],
    live_paysuper: Sandbox,
    worker: None,
    screenshots: Path,
) -> None:
    ann = people("ann")
    with Shop(Said(500), Said()) as shop:
        ann.goto("/settings/projects/")
        ann.get_by_role("link", name="Fulfilment").first.click()
        ann.get_by_label("Fulfil paid orders without hands").check()
        ann.get_by_label("Address of your server").fill(shop.url)
        ann.get_by_role("button", name="Save").click()
        secret = ann.locator("#server-secret").inner_text()
        uuid = pay(browser, live_paysuper)
        ann.goto("/to-fulfil/")
        see(ann, row_of(ann, uuid).get_by_role("link", name="Server:"))
        row_of(ann, uuid).get_by_role("link", name="Server:").click()
        expect(ann.locator("main")).to_contain_text("The server answered 500.")
        ann.get_by_role("button", name="Send again").click()
        expect(ann.locator("#call-state")).to_contain_text("Taken", timeout=20 * SECONDS)
        ann.screenshot(path=screenshots / "server-call-taken.png", full_page=True)
    is_genuine = sample()
    assert [is_genuine(each.headers, each.body, secret) for each in shop.heard] == [True, True]
    assert shop.ids[0] == shop.ids[1]
    ann.goto(f"/transactions/{uuid}/")
    expect(ann.locator("#state")).to_contain_text("Taken by your server.")
