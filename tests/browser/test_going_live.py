"""The way to going live, as the owner of a merchant who was connected just now walks it to its end."""

import re
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.browser.test_after_the_payment import see
from tests.conftest import HARBOUR, LANTERN, PASSWORD, SNOW
from tests.fulfillment.post_office import PostOffice, body
from tests.merchant.sandbox_receiver import eventually
from tests.merchant.test_second_factor import code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 1000
ACCEPTED = "4000 0000 0000 0002"


@pytest.fixture(autouse=True)
def one_machine(
    live_server: LiveServer, mails: PostOffice, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links in mails, and the addresses for PaySuper, lead to the web server of the test."""
    settings.BASE_URL = live_server.url
    monkeypatch.setenv("BASE_URL", live_server.url)


@pytest.fixture
def live_paysuper() -> Iterator[Sandbox]:
    """A PaySuper where nobody has bought anything, and which does not know us."""
    with Sandbox(orders=0, webhook_url="") as sandbox:
        yield sandbox


@pytest.fixture
def live_merchant(transactional_db: None, live_paysuper: Sandbox) -> Merchant:
    """Lantern Works after the one command that connects it."""
    call_command(
        "connect_merchant",
        *("--merchant-id", LANTERN, "--name", "Lantern Works GmbH", "--time-zone", "Europe/Berlin"),
        *("--api-url", live_paysuper.url, "--api-token", "sandbox-lantern-owner-token"),
        *("--owner-email", "ann@example.com", "--owner-password", PASSWORD),
    )
    return Merchant.objects.get()


def to_the_list(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Going live").click()
    expect(page.get_by_role("heading", name="Going live")).to_be_visible()


def point(page: Page, title: str) -> Locator:
    return page.locator(".point").filter(has=page.get_by_text(title, exact=True))


def says(page: Page, title: str, state: str, text: str) -> None:
    """Look the list up: the point has this state, and says this."""
    to_the_list(page)
    expect(point(page, title)).to_contain_text(f"{state}:")
    expect(point(page, title)).to_contain_text(text)


def follow(page: Page, title: str, link: str) -> None:
    """Where a point of the list leads to."""
    point(page, title).get_by_role("link", name=link).click()


def photographed(page: Page, path: Path) -> None:
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{path}-{width}.png", full_page=True)


def set_webhooks_up(page: Page, paysuper: Sandbox, project_id: str) -> None:
    """On the project's page and at PaySuper's, with what the one shows for the other; then a test event."""
    there = page.context.new_page()
    there.goto(f"{paysuper.url}/sandbox/control/")
    row = there.get_by_role("region", name="Webhook addresses").locator("tr", has_text=project_id)
    page.get_by_label("New secret key").fill(row.locator("code").last.inner_text())
    page.get_by_role("button", name="Store the key").click()
    expect(page.get_by_text("The secret key is stored.")).to_be_visible()
    form = there.locator("form[action$='/webhooks/url']")
    form.get_by_label("Project").select_option(project_id)
    form.get_by_label("Webhook address").fill(page.locator("#address").inner_text())
    form.get_by_role("button", name="Change").click()
    expect(there.get_by_text("Done.")).to_be_visible()
    there.close()
    page.get_by_role("button", name="Send a test event").click()
    expect(page.locator("#test-state")).to_contain_text("its signature was right", timeout=20 * SECONDS)


def pay_by_hand(page: Page) -> None:
    """A test payment whose customer is at the checkout in a window of its own."""
    page.get_by_label("Paid with").select_option("I pay at the checkout myself")
    page.get_by_role("button", name="Make the test payment").click()
    with page.expect_popup(timeout=20 * SECONDS) as opened:
        page.get_by_role("link", name="Open the checkout").click(timeout=20 * SECONDS)
    checkout = opened.value
    card = checkout.locator("form", has=checkout.locator("input[name=with][value=card]"))
    card.get_by_label("Card number").fill(ACCEPTED)
    card.get_by_role("button").click()
    expect(checkout.get_by_text("The payment was accepted.")).to_be_visible()
    checkout.close()
    steps = page.locator("#steps")
    expect(steps.get_by_role("link", name="See the receipt")).to_be_visible(timeout=20 * SECONDS)
    expect(steps.get_by_text("done:")).to_have_count(4)


def set_mails_up(page: Page, who: str) -> None:
    """Decide about the project that the list asks about first."""
    to_the_list(page)
    follow(page, "Receipts", "Set the mails")
    page.get_by_label(who).check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def set_second_factor_up(page: Page) -> None:
    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator(".qr + p").inner_text()
    if time.time() % 30 > 27:
        page.wait_for_timeout(3 * SECONDS)  # a code that ends meanwhile is none
    page.get_by_label("Authenticator code").fill(code(secret))
    page.get_by_role("button", name="Set up", exact=True).click()
    expect(page.locator("#codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()


def mails_to(person: str, mails: PostOffice) -> list[EmailMessage]:
    return [each for each in mails.mails if each["To"] == person]


def joined(browser: Browser, mails: PostOffice) -> Page:
    """The browser of the second owner, who has opened the link of the mail."""
    eventually(lambda: mails_to("olga@example.com", mails), seconds=20)
    letter = body(mails_to("olga@example.com", mails)[0], "plain")
    page = browser.new_context().new_page()
    page.goto(re.findall(r"http\S+/invitation/\?token=\S+", letter)[0])
    page.get_by_label("Your name").fill("Olga")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    return page


def hear_from_paysuper(page: Page, paysuper: Sandbox) -> None:
    for project_id, missing in ((HARBOUR, "Lantern Harbour, Snow Defender"), (SNOW, "Snow Defender")):
        says(page, "Webhooks set up", "Do this", f"The secret key is missing: {missing}.")
        expect(point(page, "A signed webhook has come")).to_contain_text(f"None yet for {missing}:")
        follow(page, "Webhooks set up", "Set it")
        set_webhooks_up(page, paysuper, project_id)
    says(page, "A signed webhook has come", "Done", "For every project.")
    see(page, page.get_by_text("PaySuper has our addresses, and the secret keys are set."))


def serve_customers(page: Page, mails: PostOffice) -> None:
    follow(page, "A test payment is done", "Make a test payment")
    pay_by_hand(page)
    says(page, "A test payment is done", "Done", "It was paid, and it arrived here.")
    set_mails_up(page, "We mail them")
    set_mails_up(page, "PaySuper mails them")
    says(page, "Receipts", "Do this", "No mail has been delivered yet: Lantern Harbour.")
    follow(page, "Receipts", "Make a test payment")
    page.get_by_role("button", name="Make the test payment").click()
    page.get_by_role("link", name="See the mail").click(timeout=20 * SECONDS)
    expect(page.locator("#mail-state")).to_contain_text("Sent")
    assert len(mails_to("ann@example.com", mails)) == 1
    says(page, "Receipts", "Done", "We mail for Lantern Harbour, and mails were delivered.")


def be_two(page: Page, browser: Browser, mails: PostOffice) -> None:
    """Two owners, each with a second factor."""
    follow(page, "Two owners", "Invite another one")
    page.get_by_label("E-mail").fill("olga@example.com")
    page.get_by_label("Role").select_option("Owner")
    page.get_by_role("button", name="Send the invitation").click()
    olga = joined(browser, mails)
    says(page, "Two owners", "Done", "There are 2 owners.")
    expect(point(page, "Second factor")).to_contain_text("ann@example.com, Olga.")
    follow(page, "Second factor", "See yours")
    set_second_factor_up(page)
    says(page, "Second factor", "Do this", "Can move money without one: Olga.")
    olga.get_by_role("link", name="Your account").click()
    olga.get_by_role("link", name="Set up the second factor").click()
    set_second_factor_up(olga)
    says(page, "Second factor", "Done", "Everybody who can move money has one.")


def test_an_owner_walks_from_nothing_to_every_point_that_a_sandbox_lets_be_done(
    browser: Browser,
    opened: Callable[..., Page],
    live_paysuper: Sandbox,
    mails: PostOffice,
    worker: None,
    screenshots: Path,
) -> None:
    ann = opened(viewport={"width": 1280, "height": 900})
    to_the_list(ann)
    expect(ann.get_by_text("0 of 10 points are done.")).to_be_visible()
    expect(point(ann, "Connection and token")).to_contain_text("PaySuper has not been asked yet")
    photographed(ann, screenshots / "going-live-start")
    ann.get_by_role("button", name="Ask PaySuper now").click()
    see(ann, ann.get_by_text("In production: Lantern Harbour, Snow Defender."))
    expect(point(ann, "Pages after the payment")).to_contain_text("Done:")
    hear_from_paysuper(ann, live_paysuper)
    serve_customers(ann, mails)
    be_two(ann, browser, mails)
    follow(ann, "Backups", "Note one")
    ann.get_by_label("Where it lies").fill("The safe")
    ann.get_by_role("button", name="Note the backup").click()
    expect(ann.get_by_text("9 of 10 points are done.")).to_be_visible()
    expect(ann.locator(".point .status-green")).to_have_count(9)
    # A sandbox is not PaySuper: that point is done with the real connection alone.
    expect(point(ann, "Connection and token")).to_contain_text("Do this:")
    expect(point(ann, "Connection and token")).to_contain_text(
        "This is a sandbox. Before you go live connect PaySuper itself"
    )
    photographed(ann, screenshots / "going-live-end")
