"""What the page says, by what is known of the order."""

from dataclasses import dataclass

from fulfillment.returning.tokens import is_token, order_of
from merchant.models import Project
from transactions import declines
from transactions.models import RowType, Status, Transaction


@dataclass(frozen=True)
class Shown:
    """A headline and a sentence for the customer; `entry` only for who has the token of that order.

    `kind` is the icon and the colour; `waits` says that a look in some seconds is worthwhile.
    """

    title: str
    text: str
    kind: str
    waits: bool = False
    entry: Transaction | None = None


_THANKS = Shown(
    "Thank you",
    "Your payment is on its way. The receipt comes by e-mail as soon as the payment is confirmed.",
    "info",
)
_SORRY = Shown(
    "The payment was not completed",
    "Nothing was charged, unless you get a receipt by e-mail. You can try again, or pay in another way.",
    "rejected",
)
_WAITING = Shown(
    "We are waiting for the confirmation",
    "This takes some seconds, rarely some minutes. You can leave this page: the receipt comes by e-mail.",
    "pending",
    waits=True,
)
_NOT_YET = Shown(
    "The payment was not completed",
    "We are waiting for the reason, which takes some seconds. Nothing was charged, unless you get a "
    "receipt by e-mail.",
    "pending",
    waits=True,
)
_BY_STATUS = {
    Status.CREATED: _WAITING,
    Status.PENDING: Shown(
        "Your payment is being checked",
        "Your bank has it. This takes some minutes as a rule; the receipt comes by e-mail.",
        "pending",
        waits=True,
    ),
    Status.PROCESSED: Shown("Payment received", "Thank you! This is what you have bought.", "processed"),
    Status.REJECTED: Shown("The payment was declined", "Nothing was charged.", "rejected"),
    Status.CANCELED: Shown(
        "The payment was canceled", "Nothing was charged. You can try again at any time.", "canceled"
    ),
    Status.REFUNDED: Shown(
        "The payment was refunded",
        "The money goes back to what you have paid with. Banks take some days for that.",
        "refunded",
    ),
    Status.CHARGEBACK: Shown(
        "The payment was taken back", "Your bank has taken the money back on your behalf.", "refunded"
    ),
}


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
    text = found.text
    if entry.status == Status.REJECTED and entry.cancellation_code in declines.CODES:
        text = f"{text} {declines.CODES[entry.cancellation_code].advice}"
    return Shown(found.title, text, found.kind, found.waits, entry)


def _entry(project: Project, token: str) -> Transaction | None:
    uuid = order_of(project, token)
    if uuid is None:
        return None
    mine = Transaction.objects.filter(merchant=project.merchant_id, project=project, type=RowType.ORDER)
    return mine.prefetch_related("items").filter(pk=uuid).first()
