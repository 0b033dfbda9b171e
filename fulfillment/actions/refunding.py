"""What people decide about refunds before PaySuper hears of them: asking, taking back, approving, closing."""

import contextlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from fulfillment import amounts, rules
from fulfillment.actions.states import LOOK_AFTER_CLOSING, State, leaving, move
from fulfillment.actions.wishes import Blocked, allow, locked, record
from fulfillment.models import Action
from merchant import audit
from merchant.models import Membership, RefundRules
from merchant.money import display, rounded
from transactions import mirror
from transactions.models import Transaction


class Changed(Blocked):
    """The amount is not the one that the person saw; `before` and `now` are texts such as "€11.89"."""

    def __init__(self, before: str, now: str) -> None:
        super().__init__(f"The amount was {before} and is {now} now. Look again before you refund.")
        self.before, self.now = before, now


def request_refund(
    entry: Transaction,
    membership: Membership,
    *,
    reason: str,
    note: str,
    seen: tuple[Decimal, str],
    amount: Decimal | None = None,
) -> Action:
    """Ask for a refund of all that can go back, or of `amount` where PaySuper honours parts.

    `seen` is what could go back, with its currency, when the person confirmed. Above the limit of the
    person's role the refund waits for a second person; otherwise it leaves when the time for undoing has
    passed, and the caller rings for `run` then. Raises Changed when `seen` is no longer true, and Blocked,
    also for the second of two requests at the same time.
    """
    try:
        with transaction.atomic():
            entry = locked(entry)
            allow(rules.refund_blocker(entry, membership))
            policy = RefundRules.of(entry.merchant)
            left = amounts.left(entry, policy)
            _same(seen, (left, entry.charge_currency))
            wanted = _wanted(amount, left, entry, policy)
            needs_approval = amounts.needs_approval(entry, wanted, policy, membership.role)
            state = State.AWAITING_APPROVAL if needs_approval else State.REQUESTED
            mirror.record_refund_state(entry, state)
            times = {} if needs_approval else leaving(policy)
            action = record(
                entry,
                membership.user,
                Action.Kind.REFUND,
                state,
                reason=reason,
                note=note,
                amount=wanted,
                needs_approval=needs_approval,
                **times,
            )
    except IntegrityError as error:
        raise Blocked("A refund of this order is already under way.") from error
    action.refresh_from_db()
    return action


def undo(action: Action, membership: Membership) -> None:
    """Take a refund back that has not been sent. Of this and the sending, one wins. Raises Blocked."""
    words = f"Taken back by {membership.user}."
    # In the order in which a refund comes through them: who approves in between is not missed.
    for waiting in (State.AWAITING_APPROVAL, State.REQUESTED):
        if move(action, waiting, State.UNDONE, by=membership.user, outcome=words):
            return
    raise Blocked("It is too late to take this refund back: it has left, or has ended.")


def approve(action: Action, membership: Membership, *, note: str, seen: tuple[Decimal, str]) -> None:
    """Say yes as the second person: the refund leaves when the time for undoing has passed.

    The order is looked at again, and `seen` must be what was asked for and what can still go back. Raises
    Changed and Blocked.
    """
    with _deciding(action, membership):
        entry = locked(action.transaction)
        allow(rules.order_blocker(entry) or rules.requester_blocker(action))
        policy = RefundRules.of(entry.merchant)
        left, asked = amounts.left(entry, policy), action.amount or Decimal(0)
        _same(seen, (asked, action.currency))
        _same(seen, (min(asked, left) if policy.honours_parts else left, entry.charge_currency))
        decided = _decided(membership, note)
        move(
            action,
            State.AWAITING_APPROVAL,
            State.REQUESTED,
            by=membership.user,
            **decided,
            **leaving(policy),
        )


def reject(action: Action, membership: Membership, *, note: str) -> None:
    """Say no as the second person, with a reason: the refund ends. Raises Blocked."""
    if not note.strip():
        raise Blocked("Say why the refund is not approved.")
    with _deciding(action, membership):
        decided = _decided(membership, note)
        move(action, State.AWAITING_APPROVAL, State.NOT_APPROVED, by=membership.user, **decided)


def close(action: Action, membership: Membership, note: str) -> None:
    """A person has found out that nothing was refunded: the order may be refunded again. Raises Blocked.

    Should PaySuper complete it after all, that is noticed for as long as it may be (see `settle`).
    """
    if not note.strip():
        raise Blocked("Say how you know that nothing was refunded.")
    with transaction.atomic():
        words = f"Closed by {membership.user}: {note}"
        again = Now() + LOOK_AFTER_CLOSING
        if not move(action, State.NEEDS_PERSON, State.REFUSED, outcome=words, look_at=again):
            raise Blocked("This refund no longer waits for a person.")
        audit.record(action.merchant, membership.user, "refund.closed", action.transaction_id, note=note)


@contextlib.contextmanager
def _deciding(action: Action, membership: Membership) -> Iterator[None]:
    """Holds a refund that waits for this person's word. Raises Blocked when it does not."""
    with transaction.atomic():
        # The action before its order, as `move` does: the other way round two people could block each other.
        Action.objects.select_for_update(of=("self",)).get(pk=action.pk)
        action.refresh_from_db()
        allow(rules.decision_blocker(action, membership))
        yield


def _decided(membership: Membership, note: str) -> dict[str, Any]:
    return {"decided_by": membership.user, "decided_at": timezone.now(), "decision_note": note}


def _same(seen: tuple[Decimal, str], now: tuple[Decimal, str]) -> None:
    if seen != now:
        raise Changed(display(*seen), display(*now))


def _wanted(amount: Decimal | None, left: Decimal, entry: Transaction, policy: RefundRules) -> Decimal:
    """The amount that is asked for, if it may be."""
    if left <= 0:
        raise Blocked("The whole charge has gone back already.")
    if amount is None or amount == left:
        return left
    if not policy.honours_parts:
        raise Blocked("PaySuper gives back the whole charge only.")
    if not 0 < amount < left or amount != rounded(amount, entry.charge_currency):
        raise Blocked(f"Between nothing and {display(left, entry.charge_currency)} can go back.")
    return amount
