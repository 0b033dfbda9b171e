"""Which mails are owed: receipts by what the mirror says, keys by what is handed over.

A receipt is owed as long as the mirror shows a payment or refund and there is no row for it. So nothing
gets lost between the two, and the row's key keeps it from being told twice.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from fulfillment.items import ItemState
from fulfillment.models import MailRule, Message
from merchant import envelope
from merchant.models import Merchant, User
from transactions.models import RowType, Status, Transaction

Kind, State = Message.Kind, Message.State

# Nobody wants a receipt by itself later than this; PaySuper repeats webhooks for two days.
LATEST = dt.timedelta(days=3)
# An order can be made, and its form left open, some time before it is paid.
_OPEN_AT_MOST = dt.timedelta(days=7)
_AT_ONCE = 200
# In the keys of mails that tell of a replaced key.
REPLACED = ":replaced:"


def after_reading(merchant: Merchant, order_uuid: UUID) -> None:
    """Write the receipts that an order owes its customer by now; the caller rings for its mails.

    To be called after the order was read again. Nothing happens where PaySuper mails.
    """
    we_mail = MailRule.objects.exclude(mails_since=None).select_related("project")
    rule = we_mail.filter(merchant=merchant, project__transactions=order_uuid).first()
    if rule:
        paid = _paid(rule).filter(pk=order_uuid)
        _write(rule, paid, _refunded(rule).filter(parent_uuid=order_uuid))


def missed() -> list[int]:
    """Write the receipts that nobody has written: the webhook was lost, or the worker died over it."""
    written = []
    for rule in MailRule.objects.exclude(mails_since=None).select_related("project"):
        written += _write(rule, _paid(rule)[:_AT_ONCE], _refunded(rule)[:_AT_ONCE])
    return written


def hand_over_keys(order: Transaction, given: Iterable[ItemState], user: User | None) -> None:
    """Write one mail for each platform whose keys have just been handed over.

    To be called in the transaction that hands over, holding the order. What was mailed once is not again.
    """
    if not MailRule.of(order.project).we_mail:
        return
    mails = Message.objects.filter(transaction=order, kind=Kind.KEY)
    told = {value for each in mails.exclude(state=State.STOPPED) for value in each.items}
    platforms: dict[str, list[str]] = {}
    for each in given:
        if each.item.platform_id and each.value not in told:
            platforms.setdefault(each.item.platform_id, []).append(each.value)
    before = mails.count()
    for number, (platform, items) in enumerate(platforms.items(), before):
        key = f"{Kind.KEY}:{order.pk}:{number}"
        write(order, Kind.KEY, key, platform=platform, items=items, requested_by=user)


def replace_keys(order: Transaction, replaced: Sequence[ItemState], number: int, user: User) -> None:
    """Write the one mail that tells of the replacement with this number: these items have a new key.

    To be called in the transaction that notes the replacement. Nothing happens where PaySuper mails.
    """
    if not replaced or not MailRule.of(order.project).we_mail:
        return
    key = f"{Kind.KEY}:{order.pk}{REPLACED}{number}"
    platform, values = replaced[0].item.platform_id, [each.value for each in replaced]
    write(order, Kind.KEY, key, platform=platform, items=values, requested_by=user)


def write(
    order: Transaction,
    kind: Message.Kind,
    key: str,
    *,
    recipient: str = "",
    platform: str = "",
    items: Sequence[str] = (),
    refund_uuid: UUID | None = None,
    requested_by: User | None = None,
) -> Message | None:
    """Write a mail to the order's customer, or to another address; None when this key is told of already."""
    recipient = (recipient or order.customer_email).strip()
    trouble = address_trouble(recipient)
    message, is_new = Message.objects.get_or_create(
        key=key,
        defaults={
            "merchant_id": order.merchant_id,
            "project_id": order.project_id,
            "transaction": order,
            "kind": kind,
            "recipient": recipient,
            "platform": platform,
            "items": list(items),
            "refund_uuid": refund_uuid,
            "requested_by": requested_by,
            "try_at": timezone.now(),
            "state": State.BOUNCED if trouble else State.QUEUED,
            "outcome": trouble,
        },
    )
    return message if is_new else None


def address_trouble(address: str) -> str:
    """Why nothing can be mailed to this address, as a sentence; "" when it can."""
    if not address:
        return "The order has no e-mail address."
    try:
        envelope.check_address(address)
    except ValidationError:
        return "This is not an e-mail address."
    return ""


def _paid(rule: MailRule) -> QuerySet[Transaction]:
    since = _since(rule)
    told = Message.objects.filter(transaction=OuterRef("pk"), kind=Kind.PAYMENT)
    paid = Transaction.objects.filter(
        merchant=rule.merchant_id,
        project=rule.project,
        type=RowType.ORDER,
        status=Status.PROCESSED,
        created_at__gte=since - _OPEN_AT_MOST,
        paid_at__gte=since,
    )
    return paid.filter(~Exists(told))


def _refunded(rule: MailRule) -> QuerySet[Transaction]:
    # By its order too: that has an index.
    told = Message.objects.filter(transaction=OuterRef("parent_uuid"), refund_uuid=OuterRef("pk"))
    rows = Transaction.objects.filter(
        merchant=rule.merchant_id,
        project=rule.project,
        type=RowType.REFUND,
        status=Status.REFUNDED,
        created_at__gte=_since(rule),
    )
    return rows.filter(~Exists(told))


def _since(rule: MailRule) -> dt.datetime:
    longest = timezone.now() - LATEST
    return max(rule.mails_since or timezone.now(), longest)


def _write(rule: MailRule, paid: QuerySet[Transaction], refunded: QuerySet[Transaction]) -> list[int]:
    written = [write(order, Kind.PAYMENT, f"{Kind.PAYMENT}:{order.pk}") for order in paid]
    orders = Transaction.objects.filter(merchant=rule.merchant_id)
    for refund in refunded:
        parent = refund.parent_uuid
        if parent and (order := orders.filter(pk=parent).first()):
            key = f"{Kind.REFUND}:{refund.pk}"
            written.append(write(order, Kind.REFUND, key, refund_uuid=refund.pk))
    return [each.pk for each in written if each and each.state == State.QUEUED]
