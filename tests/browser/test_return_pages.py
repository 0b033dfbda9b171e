"""A customer pays and comes back: the page follows the order, with and without JavaScript."""

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from fulfillment.models import ReturnPage
from merchant.models import Merchant, Project
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOKEN = "kJ8-" + "2fQz" * 7
SETTINGS = f"/settings/projects/{HARBOUR}/pages/"


@pytest.fixture
def checkout(live_server: LiveServer, live_merchant: Merchant, live_paysuper: Sandbox) -> str:
    """The checkout of an order whose shop has given it a token; the pages of the project are open."""
    project = Project.objects.get(paysuper_id=HARBOUR)
    ReturnPage.objects.create(project=project, merchant=live_merchant, is_open=True)
    wish = {"project_id": HARBOUR, "kind": "product", "outcome": "created", "currency": "EUR"}
    wish |= {"metadata": {"return_token": TOKEN}, "amount": 12.5}
    wish |= {f"url_{to}": f"{live_server.url}/{at}/{HARBOUR}/{TOKEN}/" for to, at in WAYS}
    answer = httpx2.post(f"{live_paysuper.url}/sandbox/payments", json=wish)
    return f"{live_paysuper.url}/sandbox/checkout/{answer.json()['uuid']}/"


WAYS = (("success", "thanks"), ("fail", "sorry"))


def pay(page: Page, checkout: str, card: str) -> None:
    page.goto(checkout)
    form = page.locator("form", has=page.locator("input[name=with][value=card]"))
    form.get_by_label("Card number").fill(card)
    form.locator("input[name=redirect]").check()
    form.get_by_role("button").click()


@pytest.mark.parametrize("scripted", [True, False])
def test_who_has_paid_comes_back_and_sees_the_order_by_itself(
    browser: Browser, checkout: str, worker: None, screenshots: Path, scripted: bool
) -> None:
    said: list[str] = []
    kind = {"java_script_enabled": scripted, "viewport": {"width": 360, "height": 740}}
    page = browser.new_context(**kind).new_page()  # type: ignore[arg-type]
    page.on("console", lambda message: said.append(message.text))
    pay(page, checkout, "4000 0000 0000 0002")
    page.wait_for_url(f"**/thanks/{HARBOUR}/{TOKEN}/**")
    expect(page.get_by_role("heading", name="Zahlung eingegangen")).to_be_visible(timeout=40_000)
    expect(page.locator("#state")).to_contain_text("12,50\xa0€")
    page.screenshot(path=screenshots / f"thanks-{scripted}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert said == []
    page.context.close()


def test_who_was_declined_is_told_what_to_do(browser: Browser, checkout: str, worker: None) -> None:
    page = browser.new_context().new_page()
    pay(page, checkout, "5555 5555 5555 4444")
    page.wait_for_url(f"**/sorry/{HARBOUR}/{TOKEN}/**")
    expect(page.get_by_role("heading", name="Die Zahlung wurde abgelehnt")).to_be_visible(timeout=40_000)
    expect(page.locator("#state")).to_contain_text("bestätigen Sie die Zahlung, wenn Ihre Bank")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_and_their_settings_have_no_grave_barrier(
    opened: Callable[..., Page], checkout: str, screenshots: Path, scheme: str
) -> None:
    page, axe = opened(color_scheme=scheme, viewport={"width": 360, "height": 740}), Axe()
    for number, address in enumerate((f"/thanks/{HARBOUR}/", f"/thanks/{HARBOUR}/{TOKEN}/", SETTINGS)):
        page.goto(address)
        page.screenshot(path=screenshots / f"return-{scheme}-{number}.png", full_page=True)
        found = axe.run(page).response["violations"]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
