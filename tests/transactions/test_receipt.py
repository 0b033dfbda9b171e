"""The receipt of one transaction: what it says, to whom, and that nobody hangs on it."""

import re
import socketserver
import threading
import time
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.transactions.cards import CARD, CUSTOMER, KEYS
from tests.transactions.test_pages import keep
from transactions import receipt
from transactions.exports import pdf_renderers
from transactions.models import Item, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with tests may take its time."""
    monkeypatch.setattr(receipt, "SECONDS", 120)


def said(who: Person, entry: Transaction) -> str:
    """The text of the receipt, each space one."""
    answer = who.browser.get(f"/transactions/{entry.pk}/receipt/")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="receipt-{entry.pk}.pdf"'
    pages = PdfReader(BytesIO(answer.content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_a_receipt_says_what_was_paid_by_whom_and_how(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    text = said(ann, entry)
    for words in (
        "Receipt",
        "Lantern Works GmbH",
        "Status Paid",
        str(entry.uuid),
        entry.transaction_id,
        "Mara Lindqvist, mara.lindqvist@example.com",
        f"ending in {entry.card_last4}",
        "Charged, tax included €",
        "Page 1 of 1",
    ):
        assert words in text, words
    assert "400000" not in text
    assert AuditEvent.objects.get(event="receipt.downloaded").subject == str(entry.pk)


def test_who_may_not_see_customers_gets_a_receipt_without_them(vera: Person, lantern: Merchant) -> None:
    text = said(vera, keep(lantern, CARD))
    assert "M. L., m…@example.com" in text
    assert not [word for word in CUSTOMER if word in text]


def test_items_are_named_and_keys_are_not(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, KEYS)
    codes = [item["code"] for item in entry.raw_order.document["items"] if item.get("code")]
    text = said(ann, entry)
    assert codes
    assert not [code for code in codes if code in text]
    for item in entry.items.all():
        assert item.name in text


def test_refunds_and_what_is_left_are_said(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, "admin.order.simple.refunded.original.json")
    refund = keep(lantern, "admin.order.refund-order.refunded.json")
    Transaction.objects.filter(pk=refund.pk).update(
        parent_uuid=entry.pk, charge_currency=entry.charge_currency, charge_amount=Decimal("1.50")
    )
    text = said(ann, entry)
    assert "Paid, and refunded since" in text
    assert re.search(r"Number \S+ -\D*1\.50", text)
    assert "Left after refunds" in text
    assert said(ann, refund).count("Refund receipt") == 1


def test_what_was_not_paid_is_not_called_a_receipt(ann: Person, lantern: Merchant) -> None:
    text = said(ann, keep(lantern, "admin.order.simple.rejected.code-13.json"))
    assert "Order, not paid" in text
    assert "Amount, not charged" in text
    assert "Receipt" not in text


def test_it_is_tagged_and_has_a_title(ann: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    content = ann.browser.get(f"/transactions/{entry.pk}/receipt/").content
    reader = PdfReader(BytesIO(content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in reader.trailer["/Root"]
    assert reader.metadata.title == f"Receipt {entry.transaction_id}"
    assert reader.trailer["/Root"]["/Lang"] == "en"


def test_texts_of_strangers_are_texts_and_load_nothing(ann: Person, lantern: Merchant) -> None:
    entry, asked = keep(lantern, CARD), []

    class Listener(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request)

    with socketserver.TCPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        picture = f'<img src="http://127.0.0.1:{server.server_address[1]}/x"><link rel=attachment href=file:///etc/passwd>'
        names = [picture, "{% now 'Y' %}\x07", "שלום \u202eevil\u202c", "黄金の剣 😀", "W" * 500]
        Item.objects.bulk_create(
            Item(merchant=lantern, transaction=entry, position=9 + at, name=name, amount=1, currency="EUR")
            for at, name in enumerate(names)
        )
        text = said(ann, entry)
        server.shutdown()
    assert asked == []
    assert "<img src=" in text
    assert "root:" not in text
    assert "{% now 'Y' %}" in text


def test_nobody_waits_longer_than_the_limit(
    ann: Person, lantern: Merchant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = keep(lantern, CARD)
    program = tmp_path / "endless.py"
    program.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(pdf_renderers, "_PROGRAM", program)
    monkeypatch.setattr(receipt, "SECONDS", 0.2)
    began = time.monotonic()
    answer = ann.browser.get(f"/transactions/{entry.pk}/receipt/", follow=True)
    assert time.monotonic() - began < 5
    assert "The receipt could not be drawn. Try again in a moment." in answer.content.decode()


def test_too_many_at_once_are_asked_to_come_again(
    ann: Person, lantern: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = keep(lantern, CARD)
    monkeypatch.setattr(receipt, "_PATIENCE", 0.01)
    with receipt._turn(), receipt._turn():
        answer = ann.browser.get(f"/transactions/{entry.pk}/receipt/", follow=True)
    assert "Many receipts are being drawn just now" in answer.content.decode()
    assert said(ann, entry)


def test_the_card_leads_to_the_receipt(vera: Person, lantern: Merchant) -> None:
    entry = keep(lantern, CARD)
    page = vera.browser.get(f"/transactions/{entry.pk}/").content.decode()
    assert f'href="/transactions/{entry.pk}/receipt/"' in page
