"""Refunds that people ask for, written down before anything happens."""

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfillment import rules
from fulfillment.actions.states import State, move
from fulfillment.actions.wishes import Blocked, allow, locked, record
from fulfillment.models import Action
from merchant import audit
from merchant.models import Membership
from merchant.money import display
from transactions import mirror
from transactions.models import Transaction


def request_refund(
    entry: Transaction, membership: Membership, *, reason: str, note: str, seen: tuple[Decimal, str]
) -> Action:
    """Ask for the refund of the whole charge. The caller rings for `run` after commit.

    `seen` is the amount and currency that the person confirmed. Raises Blocked, also for the second of two
    requests at the same time.
    """
    try:
        with transaction.atomic():
            entry = locked(entry)
            allow(rules.refund_blocker(entry, membership))
            if seen != (entry.charge_amount, entry.charge_currency):
                now = display(entry.charge_amount, entry.charge_currency)
                raise Blocked(f"The charge of this order is {now} now. Look again before you refund.")
            mirror.record_refund_state(entry, State.REQUESTED)
            return record(
                entry,
                membership.user,
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
    if not note.strip():
        raise Blocked("Say how you know that nothing was refunded.")
    with transaction.atomic():
        words = f"Closed by {membership.user}: {note}"
        if not move(action, State.NEEDS_PERSON, State.REFUSED, outcome=words):
            raise Blocked("This refund no longer waits for a person.")
        audit.record(action.merchant, membership.user, "refund.closed", action.transaction_id, note=note)
