"""What people ask for, written down before anything happens."""

import secrets
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfillment import rules
from fulfillment.actions.states import State, move
from fulfillment.models import Action
from merchant import audit
from merchant.models import Membership
from merchant.money import display
from transactions import mirror
from transactions.models import Fulfilment, Transaction


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
    if not note.strip():
        raise Blocked("Say how you know that nothing was refunded.")
    with transaction.atomic():
        words = f"Closed by {membership.user}: {note}"
        if not move(action, State.NEEDS_PERSON, State.REFUSED, outcome=words):
            raise Blocked("This refund no longer waits for a person.")
        audit.record(action.merchant, membership.user, "refund.closed", action.transaction_id, note=note)


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
