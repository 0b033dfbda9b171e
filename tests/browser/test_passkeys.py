"""Passkeys in a real browser, with an authenticator that exists in the browser alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from merchant.models import Merchant
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def page(browser: Browser, live_server, live_merchant: Merchant) -> Iterator[Page]:
    """A browser with an authenticator, at the one address without HTTPS that browsers trust."""
    address = live_server.url.replace("127.0.0.1", "localhost")
    context = browser.new_context(base_url=address)
    page = context.new_page()
    client = context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    made = client.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
    page.leave_finger = lambda: client.send("WebAuthn.setUserVerified", {**made, "isUserVerified": False})
    yield page
    context.close()


def give_password(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("ann@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add_passkey(page: Page, *, alone: bool) -> None:
    page.goto("/accounts/second-factor/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("Ann's laptop")
    page.get_by_label("Sign in with it alone").set_checked(alone)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.locator("#codes li")).to_have_count(10)


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/accounts/login/")


def test_a_passkey_is_added_signs_in_alone_confirms_and_is_removed(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    give_password(page)
    page.wait_for_url("**/transactions/")
    add_passkey(page, alone=True)
    log_out(page)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/transactions/")
    page.goto("/accounts/second-factor/webauthn/reauthenticate/?next=/team/")
    page.get_by_role("button", name="Use the passkey").click()
    page.wait_for_url("**/team/")
    page.goto("/accounts/second-factor/webauthn/")
    expect(page.locator("main")).to_contain_text("Signs in alone")
    page.get_by_role("link", name=re.compile("Remove")).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).to_contain_text("None yet.")
    assert [text for text in said if "Content Security Policy" in text or "TypeError" in text] == []


def test_a_passkey_is_a_second_factor_after_the_password(page: Page) -> None:
    give_password(page)
    page.wait_for_url("**/transactions/")
    add_passkey(page, alone=False)
    log_out(page)
    give_password(page)
    page.wait_for_url("**/second-factor/authenticate/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/transactions/")


def test_another_finger_is_told_what_is_wrong_and_not_let_in(page: Page) -> None:
    give_password(page)
    page.wait_for_url("**/transactions/")
    add_passkey(page, alone=True)
    log_out(page)
    page.leave_finger()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("did not work")
    page.goto("/transactions/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
