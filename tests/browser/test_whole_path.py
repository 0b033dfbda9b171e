"""The whole job once, as a person does it: look up, fulfil, refund, watch, download."""

import csv
import io
from pathlib import Path

import openpyxl
import pypdf
import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from transactions.models import Transaction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SECONDS = 1000
ROWS = "#list table.rows tbody tr"


def refundable(merchant: Merchant) -> Transaction:
    """A paid order that may be refunded, with a harmless customer."""
    paid = Transaction.objects.filter(merchant=merchant, status="processed", type="order", method="BANKCARD")
    return paid.filter(charge_currency="EUR", customer_email__contains="@").latest("created_at")


def test_support_fulfils_refunds_and_sees_the_webhook_change_the_status(
    signed_in: Page, live_server: LiveServer, live_merchant: Merchant, worker: None, screenshots: Path
) -> None:
    page, entry = signed_in, refundable(live_merchant)
    expect(page.get_by_role("heading", name="Transactions")).to_be_visible()
    page.screenshot(path=screenshots / "list.png", full_page=True)

    page.get_by_label("Search").fill(str(entry.uuid))
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(1)
    assert f"q={entry.uuid}" in page.url
    page.locator(f"{ROWS} a[data-row]").click()
    page.wait_for_url(f"{live_server.url}/transactions/{entry.uuid}/?in=*")
    expect(page.get_by_role("heading", level=1)).to_contain_text(entry.transaction_id)
    expect(page.get_by_text("Net revenue")).to_be_visible()
    page.screenshot(path=screenshots / "card.png", full_page=True)

    page.locator("#state").get_by_role("link", name="Fulfil").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("Sent by hand")
    page.screenshot(path=screenshots / "fulfil.png")
    dialog.get_by_role("button", name="Fulfil").click()
    expect(page.get_by_text("Sent by hand").first).to_be_visible()
    entry.refresh_from_db()
    assert entry.fulfilment == "fulfilled"

    page.locator("#state").get_by_role("link", name="Refund").click()
    expect(dialog).to_contain_text(entry.customer_name)
    dialog.get_by_label("Reason").select_option("Purchase not provided")
    page.screenshot(path=screenshots / "refund.png")
    dialog.get_by_role("button", name="Refund").click()
    expect(page.locator("#state")).to_contain_text("Refunded", timeout=20 * SECONDS)
    page.screenshot(path=screenshots / "refunded.png", full_page=True)
    page.reload()
    expect(page.get_by_text("Webhook payment.refund").first).to_be_visible()
    entry.refresh_from_db()
    assert (entry.status, entry.refund_state) == ("refunded", "refunded")


@pytest.mark.parametrize("file_format", ["CSV", "XLSX", "PDF"])
def test_an_accountant_downloads_the_filtered_list(
    signed_in: Page,
    live_server: LiveServer,
    live_merchant: Merchant,
    worker: None,
    screenshots: Path,
    tmp_path: Path,
    file_format: str,
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/transactions/?status=processed&currency=EUR")
    expected = Transaction.objects.filter(merchant=live_merchant, status="processed", charge_currency="EUR")
    page.locator(".list-tools summary", has_text="Export").click()
    page.get_by_role("button", name=file_format).click()
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible(timeout=30 * SECONDS)
    page.screenshot(path=screenshots / f"export-{file_format.lower()}.png")
    with page.expect_download() as download:
        link.click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    ids = ids_in(path)
    assert len(ids) == expected.count() > 5
    if file_format != "PDF":
        assert set(ids) == {str(uuid) for uuid in expected.values_list("uuid", flat=True)}


def ids_in(path: Path) -> list[str]:
    """The order ids (CSV, XLSX) or transaction ids (PDF) that a file lists."""
    match path.suffix:
        case ".csv":
            rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
            return [row["Order ID"] for row in rows]
        case ".xlsx":
            sheet = openpyxl.load_workbook(path).worksheets
            data = next(each for each in sheet if each.title != "Summary")
            header, *rows = data.iter_rows(values_only=True)
            return [row[header.index("Order ID")] for row in rows]
        case _:
            text = "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
            known = Transaction.objects.exclude(transaction_id="").values_list("transaction_id", flat=True)
            return [each for each in set(known) if each in text]


def test_the_list_says_as_of_when_while_paysuper_is_down(
    signed_in: Page,
    live_server: LiveServer,
    live_merchant: Merchant,
    live_paysuper: Sandbox,
    screenshots: Path,
) -> None:
    from merchant.paysuper.errors import PaySuperError
    from transactions import sync

    live_paysuper.close() if hasattr(live_paysuper, "close") else None
    live_merchant.api_url = "http://127.0.0.1:9"
    live_merchant.save()
    with pytest.raises(PaySuperError):
        sync.sync(live_merchant)
    signed_in.goto(f"{live_server.url}/transactions/")
    expect(signed_in.get_by_text("Cannot reach PaySuper")).to_be_visible()
    assert signed_in.locator(ROWS).count() == 50
    signed_in.screenshot(path=screenshots / "paysuper-down.png", full_page=True)
