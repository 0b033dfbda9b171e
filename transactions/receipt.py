"""The receipt of one transaction: a PDF of one page or few, drawn while somebody waits.

It takes about a second, so a job with its row, its file and its page would cost more than it saves. It is
drawn by a process of its own with a time limit, few at once: a web process never hangs on one.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string

from merchant.money import display
from transactions import card, personal
from transactions.card.facts import Document, part
from transactions.card.sections import UNPAID
from transactions.exports import pdf_file, pdf_renderers
from transactions.exports.report import without_controls
from transactions.models import RowType, Status, Transaction

# Less than proxies wait.
SECONDS = 25.0
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE = 3.0
# As long as texts are kept in columns; in the order as PaySuper told it they have no end.
_LONGEST = 500
_SAID = {
    Status.PROCESSED: "Paid",
    Status.REFUNDED: "Paid, and refunded since",
    Status.CHARGEBACK: "Paid, and charged back since",
    Status.PENDING: "Not paid yet",
    Status.CREATED: "Not paid yet",
    Status.REJECTED: "Not paid: the payment was rejected",
    Status.CANCELED: "Not paid: canceled",
}


class NotDrawn(Exception):
    """There is no receipt now; the message is for the person."""


@dataclass(frozen=True)
class Receipt:
    """What is said of a transaction. Without `personal` it masks who the customer is, as the card does."""

    entry: Transaction
    refunds: Sequence[Transaction]
    personal: bool

    @property
    def title(self) -> str:
        """What the paper is: only money that was taken is receipted."""
        if self.entry.type == RowType.REFUND:
            return "Refund receipt"
        return "Order, not paid" if self.entry.status in UNPAID else "Receipt"

    @property
    def context(self) -> dict[str, Any]:
        """What the template shows."""
        entry, document = self.entry, self._document
        back = [each for each in self.refunds if each.charge_currency == entry.charge_currency]
        sign = -1 if entry.type == RowType.REFUND else 1
        taxed = entry.tax_amount and entry.payout_currency
        return {
            "title": self.title,
            "entry": entry,
            "status": _SAID.get(Status(entry.status), "") if entry.status in Status.values else entry.status,
            "products": [
                (each.item, _printable(each.item.name or each.item.product_id), _amount(each.item))
                for each in card.products(entry.items.all(), document)
            ],
            "product": _printable(entry.product),
            "total": display(sign * entry.charge_amount, entry.charge_currency),
            "ordered": display(sign * entry.total_amount, entry.currency)
            if entry.currency != entry.charge_currency
            else "",
            "tax": display(sign * entry.tax_amount, entry.payout_currency) if taxed else "",
            "method": _method(entry, document),
            "customer": [_printable(text) for text in _customer(document)],
            "refunds": [(each, display(-each.charge_amount, each.charge_currency)) for each in self.refunds],
            "left": display(
                entry.charge_amount - sum((each.charge_amount for each in back), Decimal(0)),
                entry.charge_currency,
            )
            if back
            else "",
        }

    @property
    def _document(self) -> Document:
        document: Document = self.entry.raw_order.document
        return document if self.personal else personal.masked(document)


def draw(receipt: Receipt) -> bytes:
    """The receipt as a PDF, tagged, with the fonts of the reports. Raises NotDrawn."""
    style = pdf_file.stylesheet("receipt-pdf")
    with _turn():
        try:
            content, missing = pdf_renderers.draw(_html(receipt, ""), style, SECONDS)
            if missing:
                words = pdf_file.scripts(missing)
                content, _ = pdf_renderers.draw(_html(receipt, words), style, SECONDS)
        except pdf_renderers.RenderingFailed as error:
            raise NotDrawn("The receipt could not be drawn. Try again in a moment.") from error
    return content


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE):
        raise NotDrawn("Many receipts are being drawn just now. Try again in a moment.")
    try:
        yield
    finally:
        _AT_ONCE.release()


def _html(receipt: Receipt, missing: str) -> str:
    merchant = receipt.entry.merchant
    context = {**receipt.context, "merchant": merchant, "name": _printable(merchant.name), "missing": missing}
    return render_to_string("transactions/receipt.html", context)


def _printable(text: str) -> str:
    return " ".join(without_controls(text[:_LONGEST]).split())


def _amount(item: Any) -> str:
    return display(item.amount, item.currency) if item.currency else ""


def _method(entry: Transaction, document: Document) -> str:
    """The method in words with what the card shows of the card or the wallet."""
    method = part(document, "payment_method")
    parts = [entry.method_title or entry.method, part(method, "card").get("brand")]
    parts.append(
        f"ending in {entry.card_last4}" if entry.card_last4 else part(method, "wallet").get("account")
    )
    return _printable(", ".join(str(each) for each in parts if each))


def _customer(document: Document) -> Iterator[str]:
    user = part(document, "user")
    yield from (text for name in ("name", "email") if isinstance(text := user.get(name), str) and text)
