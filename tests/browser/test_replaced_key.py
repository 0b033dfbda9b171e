"""A key that PaySuper's staff replaces, from the question to the customer's mail: once, and for ever."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from fulfillment.models import KeyReplacement, MailRule
from merchant import setup
from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.browser.checkout import paid_by_card
from tests.browser.test_after_the_payment import see
from tests.conftest import HARBOUR, HARBOUR_SECRET, LANTERN, PASSWORD, connect
from tests.fulfillment.post_office import PostOffice, body
from tests.merchant.sandbox_receiver import eventually
from tests.transactions.syncing import asked

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 1000
ON_TOP = """each => {
    const place = each.getBoundingClientRect();
    return each.contains(document.elementFromPoint(place.x + 5, place.y + place.height / 2));
}"""
REPLACING = ("replace_code$", "PUT")
NEVER = "An activation key of this order was replaced: PaySuper refunds it no more."


@pytest.fixture
def live_paysuper(live_server: LiveServer) -> Iterator[Sandbox]:
    """A PaySuper where nobody has bought anything yet."""
    address = f"{live_server.url}/webhooks/paysuper/{{project_id}}/"
    with Sandbox(orders=0, webhook_url=address) as sandbox:
        yield sandbox


@pytest.fixture
def live_merchant(transactional_db: None, live_paysuper: Sandbox, mails: PostOffice) -> Merchant:
    """Lantern Works, connected by an account of PaySuper's staff, too; it mails its customers itself."""
    merchant = connect(LANTERN, "Lantern Works GmbH", live_paysuper.url, "sandbox-lantern-owner-token")
    merchant.staff_token = "sandbox-staff-token"
    merchant.save()
    harbour = setup.connect_project(merchant, HARBOUR, name="Lantern Harbour", secret_key=HARBOUR_SECRET)
    MailRule.objects.create(project=harbour, merchant=merchant, mails_since=timezone.now())
    setup.add_member(merchant, "ann@example.com", PASSWORD, "owner")
    return merchant


def bought(browser: Browser, paysuper: Sandbox) -> str:
    """A customer buys a key at the checkout; gives the order's id."""
    page = browser.new_context(base_url=paysuper.url).new_page()
    page.goto(f"/sandbox/checkout/?project={HARBOUR}")
    page.get_by_label("key: of the list below").check()
    page.get_by_role("group", name="Keys").get_by_role("checkbox").first.check()
    return paid_by_card(page)


def is_seen(words: Locator) -> None:
    """They are in sight, and the dialog's buttons do not lie upon them."""
    expect(words).to_be_in_viewport()
    assert words.evaluate(ON_TOP)


def shown_key(page: Page) -> str:
    """The key of the order's one item, as the card shows it."""
    page.reload()
    page.get_by_role("button", name="Show key").click()
    return page.locator("#key-0 code").inner_text()


def at_paysuper(paysuper: Sandbox, uuid: str) -> list[str]:
    """The keys of the order as PaySuper has them."""
    token = {"Authorization": "Bearer sandbox-lantern-owner-token"}
    order = httpx2.get(f"{paysuper.url}/admin/api/v1/order/{uuid}", headers=token).json()
    return [item["code"] for item in order["items"]]


def test_a_key_is_replaced_once_mailed_once_and_no_refund_is_possible_any_more(
    browser: Browser,
    opened: Callable[..., Page],
    live_paysuper: Sandbox,
    mails: PostOffice,
    worker: None,
    screenshots: Path,
) -> None:
    ann, uuid = opened(), bought(browser, live_paysuper)
    see(ann, ann.locator(f"a[href^='/transactions/{uuid}/']").first)
    ann.goto(f"/transactions/{uuid}/")
    ann.locator("#fulfil").click()
    ann.get_by_role("dialog").get_by_role("button", name="Mark as fulfilled").click()
    expect(ann.locator("#state")).to_contain_text("Fulfilled")
    before = shown_key(ann)
    assert [before] == at_paysuper(live_paysuper, uuid)
    eventually(lambda: len(mails.mails) == 2, seconds=20)  # the receipt and the key

    ann.reload()
    ann.get_by_role("link", name="Replace key").click()
    dialog = ann.get_by_role("dialog")
    expect(dialog).to_contain_text("This order can never be refunded afterwards.")
    expect(dialog).to_contain_text("The customer gets the new key by mail, once.")
    dialog.get_by_label("Why").fill("The key was used already")
    dialog.get_by_label("Type NO REFUND to confirm").fill("REFUND")
    dialog.get_by_role("button", name="Replace the key").click()
    is_seen(dialog.get_by_text("Type NO REFUND exactly. Nothing was changed."))
    assert (asked(live_paysuper, *REPLACING), KeyReplacement.objects.count()) == (0, 0)
    ann.screenshot(path=screenshots / "replace-key.png")

    dialog.get_by_label("Type NO REFUND to confirm").fill("NO REFUND")
    dialog.get_by_role("button", name="Replace the key").click()
    expect(ann.locator("#timeline")).to_contain_text("Activation key: Replaced", timeout=20 * SECONDS)
    expect(ann.locator("#refund")).to_have_attribute("aria-disabled", "true")
    ann.locator("#refund").hover()
    expect(ann.get_by_role("tooltip", name=NEVER)).to_be_visible()
    ann.screenshot(path=screenshots / "key-replaced.png", full_page=True)
    after = shown_key(ann)
    assert after != before
    assert [after] == at_paysuper(live_paysuper, uuid)
    assert asked(live_paysuper, *REPLACING) == 1

    eventually(lambda: len(mails.mails) == 3, seconds=20)
    ann.get_by_role("navigation", name="Main").get_by_role("link", name="Mails").click()
    lines = ann.locator(".mail-line")
    expect(lines).to_have_count(3)
    lines.first.locator("a[data-row]").click()
    expect(ann.locator("#mail-state")).to_contain_text("Sent")
    letter = ann.frame_locator("iframe").locator("body")
    expect(letter).to_contain_text("This key takes the place of the one that you had before.")
    expect(letter).not_to_contain_text(after)
    assert after in body(mails.mails[-1], "plain")
    assert before not in body(mails.mails[-1], "plain")
    ann.screenshot(path=screenshots / "new-key-mail.png", full_page=True)
