"""How an action changes its state: the one place that writes it, with mirror and audit in step."""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from fulfillment.models import Action
from merchant import audit
from merchant.models import RefundRules, User
from merchant.paysuper.client import Patience
from merchant.paysuper.records import RefundRecord
from transactions import mirror

State = Action.State

# Longer than the client waits for an answer: who has not come back by then is dead.
SENDING_AT_MOST = dt.timedelta(minutes=3)
# Everything here is looked at again later: no worker waits long for a PaySuper that is down.
PATIENCE = Patience(reads=2)
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
# How often PaySuper is asked about a refund that a person has closed.
LOOK_AFTER_CLOSING = dt.timedelta(minutes=15)
# Nothing is ever put off for longer: what seems to be was written before a clock was set back.
FURTHEST = dt.timedelta(minutes=20)
# What PaySuper and people say has no limit; the column has.
_LONGEST_OUTCOME = 300


def move(
    action: Action, before: Action.State, after: Action.State, *, by: User | None = None, **values: Any
) -> bool:
    """Change the state if it still is `before`; tells whether it was. Keeps mirror and audit in step.

    `by` is the person who does it, None for a worker. When to look next stands in the database's time, which
    all workers share.
    """
    looked_at: dict[str, Any] = {"look_at": None}
    if after in Action.UNDER_WAY:
        wait = SENDING_AT_MOST if after == State.SENDING else pause(action.looks)
        looked_at = {"look_at": Now() + wait, "looks": action.looks + 1}
    values = looked_at | values
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
        looks=action.looks + 1, look_at=Now() + pause(action.looks)
    )


def leaving(policy: RefundRules) -> dict[str, Any]:
    """When a refund leaves, and is looked at: when the time for undoing, which begins now, has passed."""
    at = Now() + dt.timedelta(seconds=policy.undo_seconds)
    return {"send_at": at, "look_at": at}


def its_turn() -> Q:
    """What should be looked at now, also after a clock was set back."""
    return Q(look_at__lte=Now()) | Q(look_at__gt=Now() + FURTHEST)


def clock() -> dt.datetime:
    """The time of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        row: tuple[dt.datetime] = cursor.fetchone()
    return row[0]


def is_ours(action: Action, refund: RefundRecord) -> bool:
    """Whether a refund at PaySuper is this action's: by its id, or by our reference in its reason."""
    return refund.id == action.paysuper_refund_id or f"[{action.reference}]" in refund.reason


def pause(looks: int) -> dt.timedelta:
    """How long to wait before the next look."""
    return dt.timedelta(seconds=min(_FIRST_PAUSE * 2 ** min(looks, 10), _LONGEST_PAUSE))
