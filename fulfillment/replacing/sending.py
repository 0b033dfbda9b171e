"""Sends a replacement to PaySuper: once, and with an honest account of how that went."""

import datetime as dt
import json
from typing import Any

import structlog
from django.db.models.functions import Now

from fulfillment import rules
from fulfillment.actions.states import PATIENCE, clock
from fulfillment.models import KeyReplacement
from fulfillment.replacing.states import State, keys_of, move
from merchant import line
from merchant.paysuper.errors import NotAllowed, NotFound, NotSent, PaySuperError, Refused
from transactions import sync

log = structlog.get_logger()

# How long something that never reached PaySuper is tried again.
UNSENT_AT_MOST = dt.timedelta(hours=1)
# Status numbers of PaySuper's refunds that are under way or done (contract §7.4).
_REFUNDING = (0, 2, 3)
_REFUSALS = {
    "fm000021": "PaySuper does not know this order.",
    "kp000019": "PaySuper refused: the order is not processed.",
    "ks000006": "PaySuper refused: no key of this product is left for the order's platform.",
}


def run(replacement: KeyReplacement) -> None:
    """Send a requested replacement, once. Called by workers only.

    The order is read first: what it says now decides whether it may leave, and what will be new afterwards.
    """
    if not KeyReplacement.objects.filter(pk=replacement.pk, state=State.REQUESTED).exists():
        return
    try:
        sync.refresh(replacement.merchant, replacement.transaction_id)
        with line.client(replacement.merchant, PATIENCE) as client:
            refunds = client.refunds(replacement.transaction_id)
    except PaySuperError as error:
        _not_sent(replacement, State.REQUESTED, error)
        return
    if words := _blocker(replacement, [each.status for each in refunds]):
        move(replacement, State.REQUESTED, State.REFUSED, outcome=f"{words} Nothing was sent.")
        return
    leaving: dict[str, Any] = {
        "sent_at": Now(),
        "attempts": replacement.attempts + 1,
        "keys_before": json.dumps(keys_of(replacement)),
    }
    if move(replacement, State.REQUESTED, State.SENDING, **leaving):
        _send(replacement)


def _blocker(replacement: KeyReplacement, refunds: list[int]) -> str:
    replacement.transaction.refresh_from_db()
    if words := rules.replacement_leaving_blocker(replacement):
        return words
    if any(status in _REFUNDING for status in refunds):
        return "PaySuper has a refund of this order."
    return "" if any(keys_of(replacement)) else "PaySuper shows no key for this product any more."


def _send(replacement: KeyReplacement) -> None:
    try:
        with line.staff(replacement.merchant, PATIENCE) as staff:
            staff.replace_code(replacement.transaction_id, replacement.product_id)
    except (NotSent, NotAllowed) as error:
        _not_sent(replacement, State.SENDING, error)
    except (Refused, NotFound) as error:
        words = _REFUSALS.get(error.code, f"PaySuper refused ({error.status} {error.code}).")
        move(replacement, State.SENDING, State.REFUSED, outcome=words)
    except PaySuperError as error:
        move(replacement, State.SENDING, State.UNKNOWN, outcome="PaySuper's answer was lost.")
        log.warning("replacement_unknown", replacement=replacement.pk, status=error.status, code=error.code)
    else:
        move(replacement, State.SENDING, State.ACCEPTED)


def _not_sent(replacement: KeyReplacement, state: KeyReplacement.State, error: PaySuperError) -> None:
    log.warning("replacement_not_sent", replacement=replacement.pk, status=error.status, code=error.code)
    trouble = "PaySuper cannot be reached."
    if state == State.SENDING and isinstance(error, NotAllowed):
        trouble = "PaySuper does not take the token of its staff."
    if clock() - replacement.requested_at > UNSENT_AT_MOST:
        move(replacement, state, State.REFUSED, outcome=f"{trouble} Nothing was sent.")
    else:
        move(replacement, state, State.REQUESTED, outcome=f"{trouble} Nothing was sent yet.")
