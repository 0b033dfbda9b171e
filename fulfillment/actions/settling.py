"""Finds out what became of refunds that were sent, by reading (contract §7.7)."""

import datetime as dt
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from fulfillment.actions.states import (
    LOOK_AFTER_CLOSING,
    PATIENCE,
    State,
    clock,
    is_ours,
    its_turn,
    look_again,
    move,
)
from fulfillment.actions.wishes import Blocked
from fulfillment.models import Action
from merchant import line
from merchant.paysuper.errors import PaySuperError
from merchant.paysuper.records import OrderRecord, RefundRecord
from transactions import mirror
from transactions.models import Status, StatusChange

log = structlog.get_logger()

# How long an unknown outcome is looked for before a person is asked (contract §7.7: over minutes).
UNKNOWN_AT_MOST = dt.timedelta(minutes=10)
# How long PaySuper may keep an accepted refund in progress before a person is asked.
ACCEPTED_AT_MOST = dt.timedelta(days=7)
# What a person has closed: of all refusals only these have been sent and are looked at again.
_CLOSED = Q(state=State.REFUSED, sent_at__isnull=False, look_at__isnull=False)


def settle(action: Action) -> None:
    """Find out at PaySuper what became of a refund that was sent. Called by workers only.

    One that a person has closed is looked after for a while too: PaySuper may still complete it.
    """
    mine = Action.objects.filter(pk=action.pk)
    if mine.filter(its_turn(), state=State.SENDING).exists():
        move(action, State.SENDING, State.UNKNOWN, outcome="The worker stopped before PaySuper answered.")
    is_closed = mine.filter(_CLOSED).exists()
    if action.state not in Action.SENT and not is_closed:
        return
    try:
        with line.client(action.merchant, PATIENCE) as client:
            # The order after its refunds: of a completed one it then knows already.
            refunds, asked_at = client.refunds(action.transaction_id), timezone.now()
            order = client.order(action.transaction_id)
    except PaySuperError as error:
        log.warning("settle_failed", action=action.pk, status=error.status, code=error.code)
        if is_closed:
            _leave_closed(action)
        else:
            _not_seen(action)
        return
    _keep(action, order, asked_at)
    ours = next((refund for refund in refunds if is_ours(action, refund)), None)
    if is_closed:
        _settle_closed(action, ours)
        return
    state, outcome = _verdict(action, ours) if ours else _verdict_without(action, order, refunds)
    refund_id = ours.id if ours else action.paysuper_refund_id
    move(action, State(action.state), state, outcome=outcome, paysuper_refund_id=refund_id)


def look_now(order_uuid: UUID | None) -> list[int]:
    """The refunds of an order that news has come for: to be settled at once."""
    waiting = Action.objects.filter(Q(state__in=Action.SENT) | _CLOSED, transaction=order_uuid)
    return list(waiting.values_list("pk", flat=True))


def look_soon(action: Action) -> None:
    """A person wants to know now. Rings by itself at the next sweep, should the caller's bell be lost.

    Raises Blocked when there is nothing to look for.
    """
    sent = Action.objects.filter(pk=action.pk, state__in=Action.SENT)
    if not sent.update(look_at=Now()):
        raise Blocked("This refund does not wait for PaySuper.")


def due() -> list[tuple[int, str]]:
    """Actions that somebody should ring for now, with their state: lost bells, dead workers, next looks.

    By the database's clock, as the end of the time for undoing. What waits for approval waits for people.
    """
    waiting = Action.objects.filter(Q(state__in=Action.UNDER_WAY) | _CLOSED).filter(its_turn())
    return list(waiting.order_by("look_at").values_list("pk", "state")[:500])


def _keep(action: Action, order: OrderRecord, asked_at: dt.datetime) -> None:
    """Tell the mirror, which must not stand in the way of what becomes of the money."""
    try:
        mirror.apply(action.merchant, [order], asked_at, StatusChange.Cause.REFUND)
    except Exception as error:  # noqa: BLE001 - of any kind
        # Not its text: the database quotes the row that it refuses, with the customer in it.
        log.warning("order_not_mirrored", action=action.pk, error=type(error).__name__)


def _settle_closed(action: Action, ours: RefundRecord | None) -> None:
    """Take a closed refund up again when PaySuper passes it on or has completed it."""
    state = _verdict(action, ours)[0] if ours else None
    if ours is None or state not in (State.ACCEPTED, State.REFUNDED):
        _leave_closed(action)
        return
    words = f"{action.outcome} PaySuper went on with it all the same."
    try:
        with transaction.atomic():
            move(action, State.REFUSED, State(state), outcome=words, paysuper_refund_id=ours.id)
    except IntegrityError:
        _leave_closed(action)  # another one of the order is open, which meets ours at PaySuper


def _leave_closed(action: Action) -> None:
    is_over = clock() - action.changed_at > ACCEPTED_AT_MOST
    later = None if is_over else Now() + LOOK_AFTER_CLOSING
    Action.objects.filter(_CLOSED, pk=action.pk).update(look_at=later)


def _verdict(action: Action, refund: RefundRecord) -> tuple[Action.State, str]:
    """The state that our refund at PaySuper speaks for, with words for the person (contract §7.4, §7.7)."""
    waited = _waited(action)
    match refund.status:
        case 3:
            return State.REFUNDED, ""
        case 4 | 5:
            return State.DECLINED, "The payment system declined the refund."
        case 1:
            return State.REFUSED, "The payment system refused the refund."
        case 2 if waited <= ACCEPTED_AT_MOST:
            return State.ACCEPTED, ""
        case 0 if waited <= UNKNOWN_AT_MOST:
            return State.UNKNOWN, "PaySuper has noted the refund but not passed it on yet."
        case _:
            return (
                State.NEEDS_PERSON,
                f"PaySuper keeps the refund {refund.id} without an end (status {refund.status}).",
            )


def _verdict_without(
    action: Action, order: OrderRecord, others: list[RefundRecord]
) -> tuple[Action.State, str]:
    """The state while PaySuper lists no refund of ours: which is no proof that there is none (§7.6)."""
    if order.status == Status.REFUNDED and others:
        return State.REFUSED, "The order was refunded by another request."
    if _waited(action) > (ACCEPTED_AT_MOST if action.paysuper_refund_id else UNKNOWN_AT_MOST):
        return State.NEEDS_PERSON, "PaySuper shows no refund, although our request may have arrived."
    return State(action.state), action.outcome


def _not_seen(action: Action) -> None:
    """PaySuper could not be asked: look again, and after a while tell a person too."""
    limit = ACCEPTED_AT_MOST if action.state == State.ACCEPTED else UNKNOWN_AT_MOST
    if action.state != State.NEEDS_PERSON and _waited(action) > limit:
        words = "PaySuper does not tell what became of the refund."
        move(action, State(action.state), State.NEEDS_PERSON, outcome=words)
    else:
        look_again(action)


def _waited(action: Action) -> dt.timedelta:
    return clock() - (action.sent_at or action.send_at or action.requested_at)
