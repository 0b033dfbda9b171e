"""The test cards and currencies, and what should happen with each (contract §13.2, §15)."""

from dataclasses import dataclass

from merchant import money
from merchant.paysuper.sandbox import catalogue
from merchant.paysuper.sandbox.pages import cards
from transactions.models import Status


@dataclass(frozen=True)
class Card:
    """A test card; `status` is what the order becomes, `event` the webhook that tells of it ("" for none)."""

    number: str
    secure3d: bool
    title: str
    status: str
    event: str
    expected: str

    @property
    def grouped(self) -> str:
        """The number in groups of four."""
        return cards.grouped(self.number)


_BY_OUTCOME = {
    "processed": (
        "Accepted",
        "payment.success",
        "The order becomes processed and waits to be fulfilled; the customer gets a receipt.",
    ),
    "rejected": (
        "Declined",
        "payment.cancel",
        "The order becomes rejected, with the bank's reason. Nothing is charged, and there is no receipt.",
    ),
    "pending": (
        "Authorised only",
        "",
        "The order stays pending: PaySuper sends no webhook, and we find it when we read new orders.",
    ),
}
CARDS = {
    number: Card(
        number,
        card.secure3d,
        _BY_OUTCOME[card.outcome][0],
        Status(card.outcome),
        *_BY_OUTCOME[card.outcome][1:],
    )
    for number, card in cards.CARDS.items()
}
# With how many decimals each is written.
CURRENCIES = {code: money.exponent(code) for code in catalogue.CURRENCIES}
