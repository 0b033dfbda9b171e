"""The card in a real browser: copying, keys, notes, the way through the list, paper, phones, darkness."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader
from pytest_django.live_server_helper import LiveServer

from fulfillment import inbox
from merchant import setup
from merchant.models import Merchant, Project
from merchant.paysuper import records
from tests.conftest import HARBOUR, PASSWORD
from tests.merchant.examples import load
from transactions import mirror, notes, paging
from transactions.models import StatusChange, Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

KEYS = "admin.order.key.processed.two-platforms.json"
GRAVE = ("serious", "critical")


@pytest.fixture
def opened(
    browser: Browser, live_server: LiveServer, live_merchant: Merchant
) -> Iterator[Callable[..., Page]]:
    """Opens a browser of a kind and signs somebody in with a role."""

    def sign_in(role: str = "owner", **kind: object) -> Page:
        setup.add_member(live_merchant, f"{role}@example.com", PASSWORD, role)
        page = browser.new_context(base_url=live_server.url, **kind).new_page()
        page.goto("/accounts/login/")
        page.get_by_label("Email").fill(f"{role}@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/transactions/")
        return page

    yield sign_in
    for context in browser.contexts:
        context.close()


@pytest.fixture
def keyed(live_merchant: Merchant) -> Transaction:
    """An order of two activation keys with a history: a webhook, a note, a change of its status."""
    record = records.order(load(KEYS))
    mirror.apply(live_merchant, [record], record.created_at)
    entry = Transaction.objects.get(pk=record.uuid)
    project = Project.objects.get(paysuper_id=HARBOUR)
    inbox.store(project, inbox.Delivery(load("webhook.payment.success.key.json")["raw_body"].encode()))
    StatusChange.objects.create(
        merchant=live_merchant,
        transaction=entry,
        before="pending",
        after="processed",
        cause="webhook",
        at=record.created_at,
    )
    notes.add(entry, live_merchant.memberships.first(), "The customer asked for an invoice.")
    return entry


def address(entry: Transaction) -> str:
    return f"/transactions/{entry.pk}/"


def code(position: int) -> str:
    return load(KEYS)["items"][position]["code"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_card_has_no_grave_barrier_and_fits(
    opened: Callable[..., Page], keyed: Transaction, screenshots: Path, scheme: str, width: int
) -> None:
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 800})
    for name, entry in {
        "key": keyed,
        "declined": Transaction.objects.filter(status="rejected").first(),
        "refund": Transaction.objects.filter(type="refund").first(),
        "refunded": Transaction.objects.filter(type="order", status="refunded").first(),
    }.items():
        page.goto(address(entry))
        page.screenshot(path=screenshots / f"card-{name}-{width}-{scheme}.png", full_page=True)
        found = [each for each in Axe().run(page).response["violations"] if each["impact"] in GRAVE]
        assert not found, (name, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_ids_addresses_and_amounts_are_copied_by_keyboard(
    opened: Callable[..., Page], keyed: Transaction
) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    page.goto(address(keyed))
    for label, value in {
        "Transaction ID": keyed.transaction_id,
        "Order ID": str(keyed.pk),
        "E-mail": keyed.customer_email,
        "Charged": "54.98",
    }.items():
        button = page.get_by_role("button", name=f"Copy: {label}", exact=True)
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#said")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == value


def test_what_cannot_be_copied_is_selected_instead(opened: Callable[..., Page], keyed: Transaction) -> None:
    page = opened()
    page.goto(address(keyed))
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')) }")
    page.get_by_role("button", name="Copy: Order ID").click()
    expect(page.locator("#said")).to_contain_text("selected")
    assert page.evaluate("getSelection().toString()").strip() == str(keyed.pk)


def test_without_javascript_nothing_offers_to_copy_or_print_and_keys_and_notes_work(
    opened: Callable[..., Page], keyed: Transaction
) -> None:
    page = opened("support", java_script_enabled=False)
    page.goto(address(keyed))
    expect(page.locator("[data-copy-value]:visible")).to_have_count(0)
    expect(page.locator("[data-print]:visible")).to_have_count(0)
    page.get_by_role("button", name="Show key").nth(1).click()
    expect(page.locator("code")).to_have_text(code(1))
    page.get_by_role("link", name="Transaction 681233310").click()
    assert code(1) not in page.content()
    page.get_by_label("Add a note").fill("Read out on the phone")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#timeline")).to_contain_text("Read out on the phone")
    page.get_by_role("button", name="Delete the note").click()
    expect(page.locator("#timeline")).not_to_contain_text("Read out on the phone")


def test_a_key_is_hidden_until_it_is_asked_for(
    opened: Callable[..., Page], keyed: Transaction, screenshots: Path
) -> None:
    page = opened("support")
    page.goto(address(keyed))
    assert code(0) not in page.content()
    page.get_by_role("button", name="Show key").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#key-0 code")).to_have_text(code(0))
    expect(page.get_by_role("button", name="Copy: activation key")).to_be_focused()
    expect(page.locator("#timeline li").first).to_contain_text("Activation key shown")
    expect(page.locator("#timeline li").first).to_contain_text("support@example.com")
    assert code(0) not in page.url
    page.screenshot(path=screenshots / "card-key-shown.png", full_page=True)
    page.reload()
    assert code(0) not in page.content()


def test_notes_are_written_seen_by_colleagues_and_deleted_by_their_author_alone(
    opened: Callable[..., Page], keyed: Transaction
) -> None:
    page = opened("support")
    page.goto(address(keyed))
    page.get_by_label("Add a note").fill("Line one\nLine two")
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("#timeline .kind-note").first).to_contain_text("Line one")
    other = opened("accounting")
    other.goto(address(keyed))
    expect(other.locator("#timeline .kind-note").first).to_contain_text("Line two")
    expect(other.get_by_role("button", name="Delete the note")).to_have_count(0)
    page.get_by_role("button", name="Delete the note").click()
    expect(page.locator("#timeline .kind-note")).to_have_count(1)


def test_previous_and_next_walk_the_filtered_list_and_back_returns_to_the_row(
    opened: Callable[..., Page], live_merchant: Merchant
) -> None:
    page = opened(viewport={"width": 1280, "height": 500})
    found = list(paging.ordered(live_merchant.transactions.filter(status="processed"), "date"))
    assert len(found) > 30
    page.goto("/transactions/?status=processed&sort=date&size=25")
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_url("**cursor=after**")
    listed = page.url
    page.locator(f"#tx-{found[30].pk}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(found[30].transaction_id)
    page.locator("#next").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(found[31].transaction_id)
    page.locator("#previous").click()
    page.locator("#previous").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(found[29].transaction_id)
    page.locator("nav").get_by_role("link", name="Transactions").last.click()
    page.wait_for_url(f"{listed.split('#')[0]}#tx-{found[29].pk}")
    row = page.locator(f"#tx-{found[29].pk}")
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport()


def test_whoever_need_not_know_sees_masked_customers(
    opened: Callable[..., Page], keyed: Transaction, screenshots: Path
) -> None:
    page = opened("view_only", viewport={"width": 360, "height": 800})
    page.goto(address(keyed))
    expect(page.get_by_text("m…@example.com").first).to_be_visible()
    content = page.content()
    for secret in (keyed.customer_name, keyed.customer_email, "203.0.113.24", code(0), "Raw record"):
        assert secret not in content
    expect(page.get_by_role("button", name="Show key")).to_have_count(0)
    page.screenshot(path=screenshots / "card-masked.png", full_page=True)


def test_the_card_prints_on_a_few_clean_pages(
    opened: Callable[..., Page], keyed: Transaction, screenshots: Path
) -> None:
    page = opened(color_scheme="dark")
    page.goto(address(keyed))
    paper = screenshots / "card.pdf"
    page.pdf(path=paper, format="A4")
    pages = PdfReader(paper).pages
    text = "\n".join(each.extract_text() for each in pages)
    for shown in (
        "Transaction 681233310",
        "Net revenue",
        "Mara Lindqvist",
        "Timeline",
        "asked for an invoice",
    ):
        assert shown in text
    for pressed in ("Show key", "Add the note", "Next", "Log out", "Fulfil\n", "Raw record", "Delete"):
        assert pressed not in text
    assert len(pages) <= 3
