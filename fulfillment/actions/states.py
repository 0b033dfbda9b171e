"""How an action changes its state: the one place that writes it, with mirror and audit in step."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from fulfillment.models import Action
from merchant import audit
from merchant.models import User
from merchant.paysuper.client import Patience
from merchant.paysuper.records import RefundRecord
from transactions import mirror

State = Action.State

# Longer than the client waits for an answer: who has not come back by then is dead.
SENDING_AT_MOST = dt.timedelta(minutes=3)
# Everything here is looked at again later: no worker waits long for a PaySuper that is down.
PATIENCE = Patience(reads=2)
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
# What PaySuper and people say has no limit; the column has.
_LONGEST_OUTCOME = 300


def move(
    action: Action, before: Action.State, after: Action.State, *, by: User | None = None, **values: Any
) -> bool:
    """Change the state if it still is `before`; tells whether it was. Keeps mirror and audit in step.

    `by` is the person who does it, None for a worker.
    """
    if after in Action.UNDER_WAY:
        pause = SENDING_AT_MOST if after == State.SENDING else _pause(action.looks)
        values = {"look_at": timezone.now() + pause, "looks": action.looks + 1} | values
    if "outcome" in values:
        values["outcome"] = values["outcome"][:_LONGEST_OUTCOME]
    with transaction.atomic():
        values = {"changed_at": timezone.now()} | values
        if not Action.objects.filter(pk=action.pk, state=before).update(state=after, **values):
            return False
        if after != before:
            mirror.record_refund_state(action.transaction, after)
            _record(action, before, after, by, values.get("decision_note", ""))
    action.refresh_from_db()
    return True


def _record(action: Action, before: Action.State, after: Action.State, by: User | None, note: str) -> None:
    approved = (before, after) == (State.AWAITING_APPROVAL, State.REQUESTED)
    event = "refund.approved" if approved else f"refund.{after}"
    said = {"note": note} if note else {}
    audit.record(action.merchant, by, event, action.transaction_id, action=action.pk, **said)


def look_again(action: Action) -> None:
    """Leave the state, and look again after a longer pause."""
    Action.objects.filter(pk=action.pk, state=action.state).update(
        looks=action.looks + 1, look_at=timezone.now() + _pause(action.looks)
    )


def is_ours(action: Action, refund: RefundRecord) -> bool:
    """Whether a refund at PaySuper is this action's: by its id, or by our reference in its reason."""
    return refund.id == action.paysuper_refund_id or f"[{action.reference}]" in refund.reason


def _pause(looks: int) -> dt.timedelta:
    return dt.timedelta(seconds=min(_FIRST_PAUSE * 2 ** min(looks, 10), _LONGEST_PAUSE))
