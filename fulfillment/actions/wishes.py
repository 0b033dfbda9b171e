"""What people ask for, written down before anything happens."""

import secrets
from typing import Any

from django.db import transaction

from fulfillment import rules
from fulfillment.actions.states import State
from fulfillment.models import Action
from merchant import audit
from merchant.models import Membership
from transactions import mirror
from transactions.models import Fulfilment, Transaction


class Blocked(Exception):
    """What was asked for cannot be done; the message is for the person."""


def fulfil(entry: Transaction, membership: Membership, note: str) -> Action:
    """Note that the customer has been given what was bought. Raises Blocked."""
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.fulfil_blocker(entry, membership))
        mirror.record_fulfilment(entry, Fulfilment.FULFILLED)
        return record(entry, membership, Action.Kind.FULFIL, State.DONE, note=note)


def unfulfil(entry: Transaction, membership: Membership, note: str) -> Action:
    """Take a fulfilment back, with a reason. Raises Blocked."""
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.unfulfil_blocker(entry, membership))
        mirror.record_fulfilment(entry, Fulfilment.UNFULFILLED)
        return record(entry, membership, Action.Kind.UNFULFIL, State.DONE, note=note)


def locked(entry: Transaction) -> Transaction:
    """The transaction as it is now; nobody else acts on it until the database transaction ends."""
    return Transaction.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=entry.pk)


def allow(blocker: str) -> None:
    """Raise Blocked with these words, if there are any."""
    if blocker:
        raise Blocked(blocker)


def record(
    entry: Transaction, membership: Membership, kind: Action.Kind, state: Action.State, **values: Any
) -> Action:
    """Write down what this person asked for, with its line in the audit."""
    action = Action.objects.create(
        merchant=entry.merchant,
        transaction=entry,
        kind=kind,
        state=state,
        requested_by=membership.user,
        reference=secrets.token_hex(6),
        currency=entry.charge_currency,
        **{"amount": entry.charge_amount} | values,
    )
    audit.record(
        entry.merchant, membership.user, f"{kind}.{state}", entry.pk, action=action.pk, **_noted(values)
    )
    return action


def _noted(values: dict[str, Any]) -> dict[str, str]:
    return {name: values[name] for name in ("reason", "note") if values.get(name)}
