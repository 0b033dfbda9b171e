"""Mails that a person asks for: once more, and perhaps to another address."""

import datetime as dt
from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from fulfillment import items, rules
from fulfillment.mailing.begin import address_trouble, write
from fulfillment.models import Message
from fulfillment.receipts.platforms import platform
from merchant import audit
from merchant.access import Right, may
from merchant.models import Membership
from transactions.models import RowType, Status, Transaction

Kind = Message.Kind
Choice = tuple[str, str]

# Of one order: whoever asks for more is mistaken, or does harm with our name.
A_DAY_AT_MOST = 10
# In the keys of mails that a person has asked for.
_AGAIN = ":again:"
_PAID = (Status.PROCESSED, Status.REFUNDED, Status.CHARGEBACK)


class NotSendable(Exception):
    """The mail cannot be sent; the message is for the person."""


def choices(order: Transaction, membership: Membership) -> list[Choice]:
    """What can be mailed to the customer of an order by hand: values with their words."""
    return list(_choices(order, membership)) if may(membership, Right.MAIL) else []


def _choices(order: Transaction, membership: Membership) -> Iterator[Choice]:
    if order.type != RowType.ORDER or order.status not in _PAID:
        return
    yield Kind.PAYMENT, "Receipt of the payment"
    for refund in _refunds(order):
        yield f"{Kind.REFUND}:{refund.pk}", "Receipt of the refund"
    can_have_keys = order.status == Status.PROCESSED and order.refund_state not in rules.REFUND_UNDER_WAY
    if can_have_keys and may(membership, Right.KEYS):
        for platform_id in _handed_over(order):
            yield f"{Kind.KEY}:{platform_id}", f"Activation key for {platform(platform_id).name}"


def send_again(
    order: Transaction, membership: Membership, choice: str, address: str, form_key: str
) -> Message | None:
    """Write the mail of this choice to an address; None when this very form was sent before.

    The order keeps its customer's address: that is PaySuper's to change. Raises NotSendable.
    """
    with transaction.atomic():
        order = Transaction.objects.select_for_update().get(pk=order.pk)
        offered = dict(choices(order, membership))
        if choice not in offered:
            raise NotSendable("This cannot be mailed any more. Look at the order again.")
        if trouble := address_trouble(address):
            raise NotSendable(trouble)
        if _asked_for(order) >= A_DAY_AT_MOST:
            raise NotSendable("Enough mails were asked for today for this order.")
        kind, _, detail = choice.partition(":")
        message = write(
            order,
            Kind(kind),
            f"{choice}:{order.pk}{_AGAIN}{form_key}"[:200],
            recipient=address,
            platform=detail if kind == Kind.KEY else "",
            items=_handed_over(order)[detail] if kind == Kind.KEY else (),
            refund_uuid=next((each.pk for each in _refunds(order) if str(each.pk) == detail), None),
            requested_by=membership.user,
        )
        if message:
            told = {"message": message.pk, "kind": kind, "other_address": address != order.customer_email}
            audit.record(order.merchant, membership.user, "message.asked", order.pk, **told)
    return message


def _refunds(order: Transaction) -> list[Transaction]:
    rows = Transaction.objects.filter(merchant=order.merchant_id, parent_uuid=order.pk)
    return list(rows.filter(type=RowType.REFUND, status=Status.REFUNDED).order_by("created_at"))


def _handed_over(order: Transaction) -> dict[str, list[str]]:
    """The items with keys that are out, by platform."""
    found: dict[str, list[str]] = {}
    for each in items.states(order):
        if each.is_fulfilled and each.item.platform_id:
            found.setdefault(each.item.platform_id, []).append(each.value)
    return found


def _asked_for(order: Transaction) -> int:
    a_day_ago = timezone.now() - dt.timedelta(days=1)
    mine = Message.objects.filter(transaction=order, created_at__gte=a_day_ago)
    return mine.filter(key__contains=_AGAIN).count()
