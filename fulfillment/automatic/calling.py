"""The tries of a call: each claimed by one worker, noted with its answer, and repeated over a day."""

import datetime as dt
import time
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from fulfillment import actions, rules
from fulfillment.automatic import wire
from fulfillment.automatic.signature import signature
from fulfillment.models import FulfilmentRule, ServerCall, ServerCallTry
from merchant import audit
from merchant.access import Right, may
from merchant.models import Membership
from transactions.models import Fulfilment, Status, Transaction

log = structlog.get_logger()
State = ServerCall.State

# Pauses after failed tries, in minutes: eleven tries over a day.
PAUSES = (0.1, 0.5, 2, 10, 30, 60, 120, 240, 360, 600)
# Longer than a try may take: who has not come back by then is dead.
TRY_AT_MOST = dt.timedelta(minutes=2)
# How often to look whether a refund under way has come to its end.
_WAIT_FOR_REFUND = dt.timedelta(minutes=2)


def call(call_id: int) -> None:
    """Try once to tell the merchant's server, if it is time. Called by workers only."""
    found = ServerCall.objects.select_related("merchant", "project", "transaction", "asked_again_by")
    waiting = found.get(pk=call_id)
    if not waiting.is_open or waiting.try_at > timezone.now():
        return
    if waiting.state == State.SENDING:
        lost = ServerCallTry(call=waiting, number=waiting.tries, sent_at=waiting.changed_at, milliseconds=0)
        lost.trouble = "The worker stopped before the server answered."
        _note(lost, taken=False)
    elif _claimed(waiting):
        _send(waiting)


def due() -> list[int]:
    """Calls that somebody should ring for now: next tries, lost bells, dead workers."""
    waiting = ServerCall.objects.filter(state__in=ServerCall.OPEN, try_at__lte=timezone.now())
    return list(waiting.order_by("try_at").values_list("pk", flat=True)[:500])


def resend_blocker(call: ServerCall, membership: Membership) -> str:
    """Why a call cannot be sent again, as a sentence for the person; "" when it can."""
    if not may(membership, Right.FULFIL):
        return "Your role may not fulfil."
    if call.state == State.SENDING:
        return "The call is being sent."
    if not call.body:
        return "What it said was dropped when its time was over."
    return _stopped(call.transaction, by_hand=False)


def resend(call: ServerCall, membership: Membership) -> None:
    """Send the same call once more, from the first try on. The caller rings. Raises actions.Blocked."""
    blocker = resend_blocker(call, membership)
    now = timezone.now()
    again = {"state": State.WAITING, "try_at": now, "failures": 0, "outcome": "", "changed_at": now}
    with transaction.atomic():
        same = ServerCall.objects.filter(pk=call.pk).exclude(state=State.SENDING)
        if blocker or not same.update(asked_again_by=membership.user, **again):
            raise actions.Blocked(blocker or "The call is being sent.")
        audit.record(call.merchant, membership.user, "server_call.resent", call.transaction_id, call=call.pk)


def _claimed(call: ServerCall) -> bool:
    """Take the next try, unless the goods must not go out now. Whoever fulfils by hand waits at the lock."""
    with transaction.atomic():
        entry = Transaction.objects.select_for_update().get(pk=call.transaction_id)
        if entry.status == Status.PROCESSED and entry.refund_state in rules.REFUND_UNDER_WAY:
            later = timezone.now() + _WAIT_FOR_REFUND
            _move(call, State.WAITING, outcome="A refund of the order is under way.", try_at=later)
            return False
        if words := _stopped(entry, by_hand=call.asked_again_by is None) or _without_server(call):
            _move(call, State.STOPPED, outcome=words)
            return False
        return _move(call, State.SENDING, tries=call.tries + 1, try_at=timezone.now() + TRY_AT_MOST)


def _without_server(call: ServerCall) -> str:
    return "" if FulfilmentRule.of(call.project).server_url else "No server is set for the project."


def _stopped(entry: Transaction, *, by_hand: bool) -> str:
    if entry.status != Status.PROCESSED:
        return f"The order's status is {entry.status} by now."
    if by_hand and entry.fulfilment != Fulfilment.UNFULFILLED:
        return "The order was fulfilled by hand before."
    return ""


def _send(call: ServerCall) -> None:
    rule, body, began = FulfilmentRule.of(call.project), call.body.encode(), time.monotonic()
    attempt = ServerCallTry(call=call, number=call.tries, url=rule.server_url, sent_at=timezone.now())
    timestamp = int(attempt.sent_at.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": call.webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(rule.server_secret, call.webhook_id, timestamp, body),
    }
    taken = False
    try:
        answer = wire.post(rule.server_url, body, headers)
    except wire.NoAnswer as trouble:
        attempt.trouble = str(trouble)[:300]
    else:
        attempt.status, attempt.answer, taken = answer.status, answer.text, answer.is_taken
    attempt.milliseconds = round((time.monotonic() - began) * 1000)
    _note(attempt, taken=taken)


def _note(attempt: ServerCallTry, *, taken: bool) -> None:
    """Keep how a try went, with what follows; of a worker that was taken for dead, the answer in its end."""
    call = attempt.call
    names = ("url", "sent_at", "milliseconds", "status", "answer", "trouble")
    values = {name: getattr(attempt, name) for name in names}
    with transaction.atomic():
        ServerCallTry.objects.update_or_create(call=call, number=attempt.number, defaults=values)
        if taken:
            _take(call)
        else:
            _fail(call, attempt.trouble or f"The server answered {attempt.status}.")
    log.info("server_called", call=call.pk, status=attempt.status, trouble=attempt.trouble)


def _take(call: ServerCall) -> None:
    """The server has it, whatever was thought of this try meanwhile: the order is fulfilled."""
    taken = {"state": State.TAKEN, "outcome": "", "changed_at": timezone.now()}
    if not ServerCall.objects.filter(pk=call.pk).exclude(state=State.TAKEN).update(**taken):
        return
    audit.record(call.merchant, None, "server_call.taken", call.transaction_id, call=call.pk)
    try:
        actions.fulfil_automatically(call.transaction, "Taken by your server.", call.asked_again_by)
    except actions.Blocked as blocked:
        log.info("server_took_what_was_fulfilled", call=call.pk, reason=str(blocked))


def _fail(call: ServerCall, outcome: str) -> None:
    failures = call.failures + 1
    if failures > len(PAUSES):
        _move(call, State.GIVEN_UP, outcome=outcome, failures=failures)
    else:
        later = timezone.now() + dt.timedelta(minutes=PAUSES[failures - 1])
        _move(call, State.WAITING, outcome=outcome, failures=failures, try_at=later)


def _move(call: ServerCall, state: ServerCall.State, **values: Any) -> bool:
    """Change the state, unless another worker or a person has moved the call on; tells whether it did."""
    outcome = str(values.pop("outcome", ""))[:300]
    values |= {"state": state, "changed_at": timezone.now(), "outcome": outcome}
    with transaction.atomic():
        mine = ServerCall.objects.filter(pk=call.pk, state=call.state, tries=call.tries)
        if not mine.update(**values):
            return False
        if state in (State.GIVEN_UP, State.STOPPED):
            audit.record(call.merchant, None, f"server_call.{state}", call.transaction_id, call=call.pk)
    for name, value in values.items():
        setattr(call, name, value)
    return True
