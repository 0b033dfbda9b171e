"""Sends requested refunds to PaySuper: once, and with an honest account of how that went."""

import datetime as dt
from decimal import Decimal

import structlog
from django.db.models import Q
from django.db.models.functions import Now

from fulfillment import rules
from fulfillment.actions.states import FURTHEST, PATIENCE, State, clock, is_ours, leaving, move
from fulfillment.models import Action
from merchant import line
from merchant.models import RefundRules
from merchant.paysuper.client import Client
from merchant.paysuper.errors import NotAllowed, NotFound, NotSent, PaySuperError, Refused
from merchant.paysuper.records import RefundRecord

log = structlog.get_logger()

# How long something that never reached PaySuper is tried again.
UNSENT_AT_MOST = dt.timedelta(hours=1)
# Status numbers of PaySuper's refunds that forbid another one: stored, in progress, completed (§7.4).
_BLOCKING, _COMPLETED = (0, 2, 3), 3
# These refusals may speak of our own earlier try: the list of refunds decides (contract §7.7).
_LOOK_FIRST_CODES = frozenset({"rf000001", "rf000004"})
_REFUSALS = {
    "rf000001": "The payment system refused the refund.",
    "rf000002": "PaySuper refused: the order's status does not allow a refund.",
    "rf000003": "PaySuper refused: the order is already refunded.",
    "rf000004": "PaySuper refused: another refund of this order exists.",
    "rf000005": "PaySuper does not know this order.",
    "rf000007": "PaySuper refused: there is no refund tariff for this payment.",
}


def run(action: Action) -> None:
    """Send a requested refund to PaySuper, once, and not before its time. Called by workers only."""
    if not _may_leave(action):
        return
    try:
        with line.client(action.merchant, PATIENCE) as client:
            _run(client, action)
    except PaySuperError as error:
        _not_sent(action, State.REQUESTED, error)


def _may_leave(action: Action) -> bool:
    """Whether it is still wanted and can no longer be undone, by the database's clock: bells ring early.

    Where that clock was set back, the time for undoing begins anew.
    """
    wanted = Action.objects.filter(pk=action.pk, state=State.REQUESTED)
    policy = RefundRules.of(action.merchant)
    if wanted.filter(send_at__gt=Now() + FURTHEST).update(**leaving(policy)):
        return False
    return wanted.filter(Q(send_at=None) | Q(send_at__lte=Now())).exists()


def _run(client: Client, action: Action) -> None:
    earlier = [refund for refund in client.refunds(action.transaction_id) if refund.status in _BLOCKING]
    if _stand_in_the_way(action, earlier):
        _meet_earlier(action, earlier)
    elif words := rules.leaving_blocker(action):
        move(action, State.REQUESTED, State.REFUSED, outcome=f"{words} Nothing was sent.")
    elif move(action, State.REQUESTED, State.SENDING, sent_at=Now(), attempts=action.attempts + 1):
        _send(client, action)


def _stand_in_the_way(action: Action, earlier: list[RefundRecord]) -> bool:
    """Whether refunds at PaySuper forbid this one: all do but completed parts that leave enough (§7.2)."""
    if not RefundRules.of(action.merchant).honours_parts:
        return bool(earlier)
    if any(is_ours(action, refund) or refund.status != _COMPLETED for refund in earlier):
        return True
    taken = sum((refund.amount.amount for refund in earlier), action.amount or Decimal(0))
    return taken > action.transaction.charge_amount


def _send(client: Client, action: Action) -> None:
    reason = f"{action.reason} [{action.reference}]"
    try:
        refund = client.create_refund(action.transaction_id, action.amount or Decimal(0), reason)
    except (NotSent, NotAllowed) as error:
        _not_sent(action, State.SENDING, error)
    except (Refused, NotFound) as error:
        if error.code in _LOOK_FIRST_CODES:
            move(action, State.SENDING, State.UNKNOWN, outcome=_words(error), look_at=Now())
        else:
            move(action, State.SENDING, State.REFUSED, outcome=_words(error))
    except PaySuperError as error:
        move(action, State.SENDING, State.UNKNOWN, outcome="PaySuper's answer was lost.")
        log.warning("refund_unknown", action=action.pk, status=error.status, code=error.code)
    else:
        move(action, State.SENDING, State.ACCEPTED, paysuper_refund_id=refund.id)


def _not_sent(action: Action, state: Action.State, error: PaySuperError) -> None:
    log.warning("refund_not_sent", action=action.pk, status=error.status, code=error.code)
    if clock() - (action.send_at or action.requested_at) > UNSENT_AT_MOST:
        move(action, state, State.REFUSED, outcome="PaySuper could not be reached. Nothing was sent.")
    else:
        move(action, state, State.REQUESTED, outcome="PaySuper cannot be reached. Nothing was sent yet.")


def _meet_earlier(action: Action, refunds: list[RefundRecord]) -> None:
    ours = next((refund for refund in refunds if is_ours(action, refund)), None)
    if ours:
        move(action, State.REQUESTED, State.ACCEPTED, paysuper_refund_id=ours.id, sent_at=Now())
    else:
        move(
            action,
            State.REQUESTED,
            State.REFUSED,
            outcome="PaySuper already has another refund of this order.",
        )


def _words(error: PaySuperError) -> str:
    return _REFUSALS.get(error.code, f"PaySuper refused the refund ({error.status} {error.code}).")
