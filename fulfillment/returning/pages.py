"""What the page says, by what is known of the order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fulfillment.returning.tokens import is_token, order_of
from merchant.models import Project
from transactions import declines
from transactions.models import RowType, Status, Transaction


@dataclass(frozen=True)
class Shown:
    """A headline and sentences for the customer, in English; `entry` only for who has its order's token.

    `kind` is the icon and the colour; `waits` says that a look in some seconds is worthwhile.
    """

    title: str
    sentences: tuple[str, ...]
    kind: str
    waits: bool = False
    entry: Transaction | None = None


# Every text stands in the catalogues of `fulfillment.receipts`, and so do the advices for declines.
_NOTHING = "Nothing was charged."
_NOT_COMPLETED = "The payment was not completed"
_UNLESS = "Nothing was charged, unless you get a receipt by e-mail. You can try again, or pay in another way."
_SOON = "This takes some seconds, rarely some minutes. You can leave this page: the receipt comes by e-mail."
_THANKS = Shown(
    "Thank you",
    ("Your payment is on its way. The receipt comes by e-mail as soon as the payment is confirmed.",),
    "info",
)
_SORRY = Shown(_NOT_COMPLETED, (_UNLESS,), "rejected")
_WAITING = Shown("We are waiting for the confirmation", (_SOON,), "pending", waits=True)
_NOT_YET = Shown(_NOT_COMPLETED, (_UNLESS,), "pending", waits=True)
_BY_STATUS = {
    Status.CREATED: _WAITING,
    Status.PENDING: Shown("Your payment is being checked", (_SOON,), "pending", waits=True),
    Status.PROCESSED: Shown("Payment received", ("Thank you for your purchase.",), "processed"),
    Status.REJECTED: Shown("The payment was declined", (_NOTHING,), "rejected"),
    Status.CANCELED: Shown("The payment was canceled", (_NOTHING,), "canceled"),
    Status.REFUNDED: Shown(
        "The payment was refunded",
        ("Your money is on its way back. With some banks it takes a few days to arrive.",),
        "refunded",
    ),
    Status.CHARGEBACK: Shown(
        "The payment was taken back", ("The money of this payment went back.",), "refunded"
    ),
}
# It says what the page says already.
_CANCELED_BY_CUSTOMER = "02"


def shown(project: Project, token: str, *, succeeded: bool) -> Shown:
    """The page for who comes back with this token, or without one (""), to the page of this outcome.

    Which page PaySuper chose is believed only while the order itself is not known: anybody can type it.
    """
    if not is_token(token):
        return _THANKS if succeeded else _SORRY
    entry = _entry(project, token)
    if entry is None:
        return _WAITING if succeeded else _NOT_YET
    found = _BY_STATUS.get(Status(entry.status), _WAITING) if entry.status in Status else _WAITING
    return replace(found, sentences=(*found.sentences, *_advice(entry)), entry=entry)


def _advice(entry: Transaction) -> Iterator[str]:
    code = entry.cancellation_code
    if entry.status == Status.REJECTED and code in declines.CODES and code != _CANCELED_BY_CUSTOMER:
        yield declines.CODES[code].advice


def _entry(project: Project, token: str) -> Transaction | None:
    uuid = order_of(project, token)
    if uuid is None:
        return None
    mine = Transaction.objects.filter(merchant=project.merchant_id, project=project, type=RowType.ORDER)
    return mine.select_related("merchant", "raw_order").prefetch_related("items").filter(pk=uuid).first()
