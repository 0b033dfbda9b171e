"""What staff asks for, as a state machine: a row first, the call later, and never a second refund.

    requested ──► sending ──► accepted ──► refunded
        ▲            │  │         └──────► declined
        └─ not sent ─┘  ├──► refused
                        └──► unknown ──► accepted | refunded | declined | refused | needs a person

Every step is an UPDATE with the expected state in its WHERE, so that of two workers one does it. A lost
answer is unknown; unknown is settled by reading (contract §7.7), never by sending again.
"""

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfillment import rules
from fulfillment.models import Action
from merchant import audit
from merchant.models import Membership
from merchant.money import display
from merchant.paysuper.client import Client, Patience
from merchant.paysuper.errors import NotAllowed, NotFound, NotSent, PaySuperError, Refused
from merchant.paysuper.records import OrderRecord, RefundRecord
from transactions import mirror, sync
from transactions.models import Fulfilment, Status, Transaction

log = structlog.get_logger()
State = Action.State

# Longer than the client waits for an answer: who has not come back by then is dead.
SENDING_AT_MOST = dt.timedelta(minutes=3)
# How long an unknown outcome is looked for before a person is asked (contract §7.7: over minutes).
UNKNOWN_AT_MOST = dt.timedelta(minutes=10)
# How long something that never reached PaySuper is tried again.
UNSENT_AT_MOST = dt.timedelta(hours=1)
# How long PaySuper may keep an accepted refund in progress before a person is asked.
ACCEPTED_AT_MOST = dt.timedelta(days=7)
_SENT = (State.ACCEPTED, State.UNKNOWN, State.NEEDS_PERSON)
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 300.0
# Everything here is looked at again later: no worker waits long for a PaySuper that is down.
_PATIENCE = Patience(reads=2)
# What PaySuper and people say has no limit; the column has.
_LONGEST_OUTCOME = 300

# Status numbers of PaySuper's refunds that forbid another one: stored, in progress, completed (§7.4).
_BLOCKING = (0, 2, 3)
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


class Blocked(Exception):
    """What was asked for cannot be done; the message is for the person."""


def fulfil(entry: Transaction, membership: Membership, note: str) -> Action:
    """Note that the customer has been given what was bought. Raises Blocked."""
    with transaction.atomic():
        entry = _locked(entry)
        _allow(rules.fulfil_blocker(entry, membership))
        mirror.record_fulfilment(entry, Fulfilment.FULFILLED)
        return _record(entry, membership, Action.Kind.FULFIL, State.DONE, note=note)


def unfulfil(entry: Transaction, membership: Membership, note: str) -> Action:
    """Take a fulfilment back, with a reason. Raises Blocked."""
    with transaction.atomic():
        entry = _locked(entry)
        _allow(rules.unfulfil_blocker(entry, membership))
        mirror.record_fulfilment(entry, Fulfilment.UNFULFILLED)
        return _record(entry, membership, Action.Kind.UNFULFIL, State.DONE, note=note)


def request_refund(
    entry: Transaction, membership: Membership, *, reason: str, note: str, seen: tuple[Decimal, str]
) -> Action:
    """Ask for the refund of the whole charge. The caller rings for `run` after commit.

    `seen` is the amount and currency that the person confirmed. Raises Blocked, also for the second of two
    requests at the same time.
    """
    try:
        with transaction.atomic():
            entry = _locked(entry)
            _allow(rules.refund_blocker(entry, membership))
            if seen != (entry.charge_amount, entry.charge_currency):
                now = display(entry.charge_amount, entry.charge_currency)
                raise Blocked(f"The charge of this order is {now} now. Look again before you refund.")
            mirror.record_refund_state(entry, State.REQUESTED)
            return _record(
                entry,
                membership,
                Action.Kind.REFUND,
                State.REQUESTED,
                reason=reason,
                note=note,
                look_at=timezone.now(),
            )
    except IntegrityError as error:
        raise Blocked("A refund of this order is already under way.") from error


def close(action: Action, membership: Membership, note: str) -> None:
    """A person has found out that nothing was refunded: the order may be refunded again. Raises Blocked."""
    with transaction.atomic():
        words = f"Closed by {membership.user}: {note}" if note else f"Closed by {membership.user}"
        if not _move(action, State.NEEDS_PERSON, State.REFUSED, outcome=words):
            raise Blocked("This refund no longer waits for a person.")
        audit.record(action.merchant, membership.user, "refund.closed", action.transaction_id, note=note)


def run(action: Action) -> None:
    """Send a requested refund to PaySuper, once. Called by workers only."""
    if action.state != State.REQUESTED:
        return
    try:
        with sync.client_for(action.merchant) as client:
            _run(client, action)
    except PaySuperError as error:
        _not_sent(action, State.REQUESTED, error)


def settle(action: Action) -> None:
    """Find out at PaySuper what became of a refund that was sent. Called by workers only."""
    if action.state == State.SENDING and action.look_at and action.look_at <= timezone.now():
        _move(action, State.SENDING, State.UNKNOWN, outcome="The worker stopped before PaySuper answered.")
    if action.state not in _SENT:
        return
    asked_at = timezone.now()
    try:
        with sync.client_for(action.merchant, _PATIENCE) as client:
            order, refunds = client.order(action.transaction_id), client.refunds(action.transaction_id)
    except PaySuperError as error:
        log.warning("settle_failed", action=action.pk, status=error.status, code=error.code)
        _not_seen(action)
        return
    mirror.apply(action.merchant, [order], asked_at)
    ours = next((refund for refund in refunds if _is_ours(action, refund)), None)
    state, outcome = _verdict(action, ours) if ours else _verdict_without(action, order, refunds)
    refund_id = ours.id if ours else action.paysuper_refund_id
    _move(action, State(action.state), state, outcome=outcome, paysuper_refund_id=refund_id)


def look_now(order_uuid: UUID | None) -> list[int]:
    """The refunds of an order that news has come for: to be settled at once."""
    return list(Action.objects.filter(transaction=order_uuid, state__in=_SENT).values_list("pk", flat=True))


def due() -> list[tuple[int, str]]:
    """Actions that somebody should ring for now, with their state: lost bells, dead workers, next looks."""
    waiting = Action.objects.filter(state__in=Action.OPEN, look_at__lte=timezone.now())
    return list(waiting.order_by("look_at").values_list("pk", "state")[:500])


def _run(client: Client, action: Action) -> None:
    earlier = [refund for refund in client.refunds(action.transaction_id) if refund.status in _BLOCKING]
    if earlier:
        _meet_earlier(action, earlier)
        return
    claim = {"sent_at": timezone.now(), "attempts": action.attempts + 1}
    if _move(action, State.REQUESTED, State.SENDING, **claim):
        _send(client, action)


def _send(client: Client, action: Action) -> None:
    reason = f"{action.reason} [{action.reference}]"
    try:
        refund = client.create_refund(action.transaction_id, action.amount or Decimal(0), reason)
    except (NotSent, NotAllowed) as error:
        _not_sent(action, State.SENDING, error)
    except (Refused, NotFound) as error:
        if error.code in _LOOK_FIRST_CODES:
            _move(action, State.SENDING, State.UNKNOWN, outcome=_words(error), look_at=timezone.now())
        else:
            _move(action, State.SENDING, State.REFUSED, outcome=_words(error))
    except PaySuperError as error:
        _move(action, State.SENDING, State.UNKNOWN, outcome="PaySuper's answer was lost.")
        log.warning("refund_unknown", action=action.pk, status=error.status, code=error.code)
    else:
        _move(action, State.SENDING, State.ACCEPTED, paysuper_refund_id=refund.id)


def _not_sent(action: Action, state: Action.State, error: PaySuperError) -> None:
    log.warning("refund_not_sent", action=action.pk, status=error.status, code=error.code)
    if timezone.now() - action.requested_at > UNSENT_AT_MOST:
        _move(action, state, State.REFUSED, outcome="PaySuper could not be reached. Nothing was sent.")
    else:
        _move(action, state, State.REQUESTED, outcome="PaySuper cannot be reached. Nothing was sent yet.")


def _meet_earlier(action: Action, refunds: list[RefundRecord]) -> None:
    ours = next((refund for refund in refunds if _is_ours(action, refund)), None)
    if ours:
        _move(action, State.REQUESTED, State.ACCEPTED, paysuper_refund_id=ours.id)
    else:
        _move(
            action,
            State.REQUESTED,
            State.REFUSED,
            outcome="PaySuper already has another refund of this order.",
        )


def _is_ours(action: Action, refund: RefundRecord) -> bool:
    return refund.id == action.paysuper_refund_id or f"[{action.reference}]" in refund.reason


def _verdict_without(
    action: Action, order: OrderRecord, others: list[RefundRecord]
) -> tuple[Action.State, str]:
    """The state while PaySuper lists no refund of ours: which is no proof that there is none (§7.6)."""
    if order.status == Status.REFUNDED and others:
        return State.REFUSED, "The order was refunded by another request."
    if _waited(action) > (ACCEPTED_AT_MOST if action.paysuper_refund_id else UNKNOWN_AT_MOST):
        return State.NEEDS_PERSON, "PaySuper shows no refund, although our request may have arrived."
    return State(action.state), action.outcome


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


def _waited(action: Action) -> dt.timedelta:
    return timezone.now() - (action.sent_at or action.requested_at)


def _not_seen(action: Action) -> None:
    """PaySuper could not be asked: look again, and after a while tell a person too."""
    limit = ACCEPTED_AT_MOST if action.state == State.ACCEPTED else UNKNOWN_AT_MOST
    if action.state != State.NEEDS_PERSON and _waited(action) > limit:
        words = "PaySuper does not tell what became of the refund."
        _move(action, State(action.state), State.NEEDS_PERSON, outcome=words)
    else:
        _look_again(action)


def _look_again(action: Action) -> None:
    Action.objects.filter(pk=action.pk, state=action.state).update(
        looks=action.looks + 1, look_at=timezone.now() + _pause(action.looks)
    )


def _move(action: Action, before: Action.State, after: Action.State, **values: Any) -> bool:
    """Change the state if it still is `before`; tells whether it was. Keeps mirror and audit in step."""
    if after in Action.OPEN:
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
            audit.record(action.merchant, None, f"refund.{after}", action.transaction_id, action=action.pk)
    action.refresh_from_db()
    return True


def _pause(looks: int) -> dt.timedelta:
    return dt.timedelta(seconds=min(_FIRST_PAUSE * 2 ** min(looks, 10), _LONGEST_PAUSE))


def _words(error: PaySuperError) -> str:
    return _REFUSALS.get(error.code, f"PaySuper refused the refund ({error.status} {error.code}).")


def _locked(entry: Transaction) -> Transaction:
    return Transaction.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=entry.pk)


def _allow(blocker: str) -> None:
    if blocker:
        raise Blocked(blocker)


def _record(
    entry: Transaction, membership: Membership, kind: Action.Kind, state: Action.State, **values: Any
) -> Action:
    action = Action.objects.create(
        merchant=entry.merchant,
        transaction=entry,
        kind=kind,
        state=state,
        requested_by=membership.user,
        reference=secrets.token_hex(6),
        amount=entry.charge_amount,
        currency=entry.charge_currency,
        **values,
    )
    audit.record(
        entry.merchant, membership.user, f"{kind}.{state}", entry.pk, action=action.pk, **_noted(values)
    )
    return action


def _noted(values: dict[str, Any]) -> dict[str, str]:
    return {name: values[name] for name in ("reason", "note") if values.get(name)}
