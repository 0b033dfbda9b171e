"""What every wish begins with: the locked row, the rules, and an action with its audit line."""

import secrets
from typing import Any

from fulfillment.models import Action
from merchant import audit
from merchant.models import User
from transactions.models import Transaction

_TOLD = ("reason", "note", "handover_reference", "items_in_words")


class Blocked(Exception):
    """What was asked for cannot be done; the message is for the person."""


def locked(entry: Transaction) -> Transaction:
    """The entry as it is now; nobody else changes it before the end of the database transaction."""
    return Transaction.objects.select_for_update(of=("self",)).select_related("merchant").get(pk=entry.pk)


def allow(blocker: str) -> None:
    """Raises Blocked with these words, if there are any."""
    if blocker:
        raise Blocked(blocker)


def record(
    entry: Transaction, user: User | None, kind: Action.Kind, state: Action.State, **values: Any
) -> Action:
    """Write down what `user` (None: a rule of the merchant) asked for, with its audit line."""
    action = Action.objects.create(
        merchant=entry.merchant,
        transaction=entry,
        kind=kind,
        state=state,
        requested_by=user,
        reference=secrets.token_hex(6),
        currency=entry.charge_currency,
        **{"amount": entry.charge_amount} | values,
    )
    told = {name: values[name] for name in _TOLD if values.get(name)}
    audit.record(entry.merchant, user, f"{kind}.{state}", entry.pk, action=action.pk, **told)
    return action
