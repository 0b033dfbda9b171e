"""Receipts as mails: HTML that mail programs can draw, and the same as text."""

from dataclasses import dataclass

from django.template.loader import render_to_string

from fulfillment.receipts.facts import Line, Receipt
from merchant.envelope import one_line


@dataclass(frozen=True)
class Letter:
    """A mail's words."""

    subject: str
    text: str
    html: str


def receipt_letter(receipt: Receipt, address: str) -> Letter:
    """The mail of a receipt whose page stands at `address`."""
    online = receipt.language.say("View this receipt online")
    html = render_to_string(
        "fulfillment/mails/receipt.html", {"mail": receipt, "address": address, "online": online}
    )
    return Letter(one_line(receipt.subject), _text(receipt, f"{online}: {address}"), html)


def _text(receipt: Receipt, online: str) -> str:
    parts = [
        [receipt.shop, receipt.title],
        [receipt.note],
        [receipt.greeting],
        [_line(each) for each in receipt.facts],
        [_line(each) for each in receipt.items],
        [_line(each) for each in (*receipt.sums, receipt.total)],
        [online],
        [receipt.support],
    ]
    return "\n\n".join(filter(None, ("\n".join(filter(None, part)) for part in parts))) + "\n"


def _line(line: Line) -> str:
    return f"{one_line(line.label)}: {line.value}" if line.value else one_line(line.label)
