"""The tries of a mail: each claimed by one worker, which says what became of it."""

import datetime as dt
import json
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from fulfillment import rules
from fulfillment.mailing import wire, writing
from fulfillment.mailing.states import FURTHEST, TRY_AT_MOST, State, fail, handing_over, move
from fulfillment.models import Message
from merchant.paysuper.errors import PaySuperError
from transactions import sync
from transactions.models import Status, Transaction

log = structlog.get_logger()

# A bell that has been rung is given this time before the next one.
_RUNG_AGAIN_AT_MOST = dt.timedelta(minutes=2)
_WAIT_FOR_REFUND = dt.timedelta(minutes=2)
# How long to wait for a key before the next look: a quarter of the time that it has waited, within these.
_SHORTEST_WAIT, _LONGEST_WAIT = dt.timedelta(minutes=1), dt.timedelta(hours=1)


def run(message_id: int) -> None:
    """Do what is next for a mail: send it, look for its key, or find out about a dead worker. For workers."""
    found = Message.objects.select_related("merchant", "project", "transaction")
    message = found.get(pk=message_id)
    if not message.is_open:
        return
    if message.state == State.SENDING:
        if message.try_at <= timezone.now():
            _bury(message)
        return
    if message.state == State.WAITING:
        _read_again(message)
    try:
        claimed = _claimed(message)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - nobody would see a mail that breaks its worker every time
        # The kind of the error alone: its text may quote the customer.
        log.warning("mail_breaks", message=message.pk, error=type(error).__name__)
        words = f"The mail could not be written ({type(error).__name__})."
        fail(message, words, message.tries + 1)
        return
    if claimed:
        _send(message)


def ready(order_uuid: UUID) -> list[int]:
    """Mails of one order that may leave now."""
    mine = Message.objects.filter(transaction=order_uuid, state=State.QUEUED, try_at__lte=timezone.now())
    return list(mine.values_list("pk", flat=True))


def due() -> list[int]:
    """Mails that somebody should ring for now: next tries, lost bells, dead workers, keys to look for."""
    now = timezone.now()
    its_turn = Q(try_at__lte=now) | Q(try_at__gt=now + FURTHEST)
    waiting = Message.objects.filter(its_turn, state__in=Message.OPEN)
    found = list(waiting.order_by("try_at").values_list("pk", flat=True)[:500])
    rung = waiting.filter(pk__in=found).exclude(state=State.SENDING)
    rung.update(try_at=now + _RUNG_AGAIN_AT_MOST)
    return found


def _bury(message: Message) -> None:
    """What is known of the try of a worker that has died."""
    if message.handed_over_at:
        words = "The worker stopped while the mail server took the mail: it may have been sent."
        move(message, State.UNKNOWN, outcome=words)
    else:
        fail(message, "The worker stopped before the mail left.")


def _read_again(message: Message) -> None:
    """Ask PaySuper for the order whose key is awaited."""
    try:
        sync.refresh(message.merchant, message.transaction_id)
    except PaySuperError as error:
        log.warning("key_not_asked_for", message=message.pk, status=error.status, code=error.code)


def _claimed(message: Message) -> bool:
    """Take the next try, unless the mail must not go out now."""
    with transaction.atomic():
        orders = Transaction.objects.select_for_update(of=("self",))
        order = orders.select_related("merchant", "project", "raw_order").get(pk=message.transaction_id)
        values: dict[str, Any] = {}
        if message.kind == Message.Kind.KEY:
            keys = _keys_to_send(message, order)
            if not keys:
                return False
            values["activation_keys"] = json.dumps(keys)
        if not message.text:
            words = writing.letter(message, order)
            values |= {"subject": words.subject, "text": words.text, "html": words.html}
            values["locale"] = writing.language_of(order).tag
        values |= {"tries": message.tries + 1, "try_at": timezone.now() + TRY_AT_MOST}
        return move(message, State.SENDING, **values, handed_over_at=None)


def _waits_for(order: Transaction) -> str:
    """What has to end before it is known which keys the customer gets, if any; "" for nothing."""
    if order.status == Status.PROCESSED and order.refund_state in rules.REFUND_UNDER_WAY:
        return "A refund of the order is under way."
    return "A key of the order is being replaced." if order.refund_state == rules.KEY_REPLACING else ""


def _keys_to_send(message: Message, order: Transaction) -> list[str]:
    """The keys, if they may go out now; else the mail waits or stops."""
    if words := _waits_for(order):
        later = timezone.now() + _WAIT_FOR_REFUND
        move(message, State(message.state), outcome=words, try_at=later)
        return []
    if words := key_blocker(message, order):
        move(message, State.STOPPED, outcome=words)
        return []
    keys = writing.keys_of(message, order)
    if not all(keys):
        waited = timezone.now() - message.created_at
        later = timezone.now() + min(max(waited / 4, _SHORTEST_WAIT), _LONGEST_WAIT)
        words = "PaySuper has not given the key yet."
        move(message, State.WAITING, outcome=words, try_at=later)
        return []
    return keys


def key_blocker(message: Message, order: Transaction) -> str:
    """Why the keys of a mail must not go out at all, as a sentence; "" when they may."""
    if order.status != Status.PROCESSED:
        return f"The order's status is {order.status} by now."
    found = writing.items_of(message, order)
    if len(found) < len(message.items):
        return "The items of the order have changed."
    return "" if all(each.is_fulfilled for each in found) else "The fulfilment was taken back."


def _send(message: Message) -> None:
    try:
        wire.deliver(writing.mail_of(message), lambda: handing_over(message))
    except wire.Overtaken:
        log.warning("mail_overtaken", message=message.pk)
    except wire.NotSent as trouble:
        fail(message, str(trouble))
    except ValidationError:
        move(message, State.BOUNCED, outcome="This is not an e-mail address.")
    except wire.Bounced as trouble:
        move(message, State.BOUNCED, outcome=str(trouble))
    except wire.Refused as trouble:
        move(message, State.GAVE_UP, outcome=str(trouble))
    except wire.Uncertain as trouble:
        move(message, State.UNKNOWN, outcome=str(trouble))
    else:
        _note_sent(message)
    log.info("mail_tried", message=message.pk, kind=message.kind, state=message.state)


def _note_sent(message: Message) -> None:
    """The mail server has it, whatever was thought of this try meanwhile."""
    now = timezone.now()
    if not move(message, State.SENT, sent_at=now):
        message.state = State.UNKNOWN
        move(message, State.SENT, sent_at=now)
