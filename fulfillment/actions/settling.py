"""Finds out what became of refunds that were sent, by reading (contract §7.7)."""

import datetime as dt
from uuid import UUID

import structlog
from django.db.models.functions import Now
from django.utils import timezone

from fulfillment.actions.states import PATIENCE, State, is_ours, look_again, move
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


def settle(action: Action) -> None:
    """Find out at PaySuper what became of a refund that was sent. Called by workers only."""
    if action.state == State.SENDING and action.look_at and action.look_at <= timezone.now():
        move(action, State.SENDING, State.UNKNOWN, outcome="The worker stopped before PaySuper answered.")
    if action.state not in Action.SENT:
        return
    try:
        with line.client(action.merchant, PATIENCE) as client:
            # The order after its refunds: of a completed one it then knows already.
            refunds, asked_at = client.refunds(action.transaction_id), timezone.now()
            order = client.order(action.transaction_id)
    except PaySuperError as error:
        log.warning("settle_failed", action=action.pk, status=error.status, code=error.code)
        _not_seen(action)
        return
    mirror.apply(action.merchant, [order], asked_at, StatusChange.Cause.REFUND)
    ours = next((refund for refund in refunds if is_ours(action, refund)), None)
    state, outcome = _verdict(action, ours) if ours else _verdict_without(action, order, refunds)
    refund_id = ours.id if ours else action.paysuper_refund_id
    move(action, State(action.state), state, outcome=outcome, paysuper_refund_id=refund_id)


def look_now(order_uuid: UUID | None) -> list[int]:
    """The refunds of an order that news has come for: to be settled at once."""
    return list(
        Action.objects.filter(transaction=order_uuid, state__in=Action.SENT).values_list("pk", flat=True)
    )


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
    waiting = Action.objects.filter(state__in=Action.UNDER_WAY, look_at__lte=Now())
    return list(waiting.order_by("look_at").values_list("pk", "state")[:500])


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
    return timezone.now() - (action.sent_at or action.send_at or action.requested_at)
