"""Handing over, whole or item by item; taking that back; and withdrawing what was handed over.

Every change holds the order's row: two colleagues, or a colleague and a rule, cannot both hand it over.
"""

from collections.abc import Collection

from django.db import transaction

from fulfillment import items, mailing, rules
from fulfillment.actions import claims
from fulfillment.actions.states import State
from fulfillment.actions.wishes import Blocked, allow, locked, record
from fulfillment.items import ItemState, Key
from fulfillment.models import Action, Claim, FulfilledItem, ServerCall
from merchant.models import Membership, User
from transactions import mirror
from transactions.models import Fulfilment, Transaction

Kind = Action.Kind


def fulfil(
    entry: Transaction,
    membership: Membership,
    note: str,
    *,
    reference: str = "",
    chosen: Collection[Key] | None = None,
) -> Action:
    """Note that the customer has been given these items, or all that is left (None). Raises Blocked."""
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.fulfil_blocker(entry, membership) or claims.blocker(entry, membership.user))
        allow(_server_blocker(entry))
        return _hand_over(entry, membership.user, note, reference, chosen)


def fulfil_automatically(entry: Transaction, note: str, user: User | None = None) -> Action:
    """Note that a rule of the merchant has handed over all that is left; `user` pressed for it, if anybody.

    It has happened, whatever became of the money meanwhile. Raises Blocked when nothing was left.
    """
    with transaction.atomic():
        entry = locked(entry)
        if entry.fulfilment not in (Fulfilment.UNFULFILLED, Fulfilment.PARTLY):
            raise Blocked("This order had been fulfilled already.")
        return _hand_over(entry, user, note, "", None)


def unfulfil(
    entry: Transaction, membership: Membership, note: str, *, chosen: Collection[Key] | None = None
) -> Action:
    """Take the fulfilment of these items, or the whole one (None), back, with a reason. Raises Blocked."""
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.unfulfil_blocker(entry, membership))
        all_items = items.states(entry)
        given = [each for each in all_items if each.is_fulfilled]
        taken = _choose(given, chosen, "Choose items that are fulfilled. Look at the order again.")
        kept = [each for each in given if each not in taken]
        mirror.record_fulfilment(entry, Fulfilment.PARTLY if kept else Fulfilment.UNFULFILLED)
        words = items.in_words(taken) if len(taken) < len(all_items) else ""
        action = record(entry, membership.user, Kind.UNFULFIL, State.DONE, note=note, items_in_words=words)
        _note_items(entry, action, kept)
        return action


def withdraw(entry: Transaction, membership: Membership, note: str) -> Action:
    """Note that what was handed over is taken back, since the money went back. Raises Blocked."""
    if not note.strip():
        raise Blocked("Say how the goods were taken back.")
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.withdraw_blocker(entry, membership))
        mirror.record_fulfilment(entry, Fulfilment.WITHDRAWN)
        return record(entry, membership.user, Kind.WITHDRAW, State.DONE, note=note)


def restore(entry: Transaction, membership: Membership, note: str) -> Action:
    """Take a withdrawal back, with a reason: the order stands as it did before. Raises Blocked."""
    with transaction.atomic():
        entry = locked(entry)
        allow(rules.restore_blocker(entry, membership))
        is_whole = all(each.is_fulfilled for each in items.states(entry))
        mirror.record_fulfilment(entry, Fulfilment.FULFILLED if is_whole else Fulfilment.PARTLY)
        return record(entry, membership.user, Kind.RESTORE, State.DONE, note=note)


def _server_blocker(entry: Transaction) -> str:
    asked = ServerCall.objects.filter(transaction=entry, state=ServerCall.State.SENDING).exists()
    return "Your server is being told of this order right now. Look again in a minute." if asked else ""


def _hand_over(
    entry: Transaction, user: User | None, note: str, reference: str, chosen: Collection[Key] | None
) -> Action:
    all_items = items.states(entry)
    waiting = [each for each in all_items if not each.is_fulfilled]
    given = _choose(waiting, chosen, "Choose items that are not fulfilled yet. Look at the order again.")
    is_whole = len(given) == len(waiting)
    mirror.record_fulfilment(entry, Fulfilment.FULFILLED if is_whole else Fulfilment.PARTLY)
    words = items.in_words(given) if len(given) < len(all_items) else ""
    values = {"note": note, "handover_reference": reference, "items_in_words": words}
    action = record(entry, user, Kind.FULFIL, State.DONE, **values)
    _note_items(entry, action, [each for each in all_items if each.is_fulfilled or each in given])
    mailing.hand_over_keys(entry, given, user)
    if is_whole:
        Claim.objects.filter(transaction=entry).delete()
    elif user:
        claims.renew(entry, user)
    return action


def _choose(offered: list[ItemState], chosen: Collection[Key] | None, words: str) -> list[ItemState]:
    if chosen is None:
        return offered
    found = [each for each in offered if each.key in chosen]
    if not found or len(found) < len(chosen):
        raise Blocked(words)
    return found


def _note_items(entry: Transaction, action: Action, kept: list[ItemState]) -> None:
    """Exactly these items are handed over now; those that were before keep the action that did it."""
    wanted = {each.key for each in kept}
    for row in FulfilledItem.objects.filter(transaction=entry):
        if (row.product_id, row.number) not in wanted:
            row.delete()
    rows = [
        FulfilledItem(
            merchant=entry.merchant, transaction=entry, action=action, product_id=product, number=number
        )
        for product, number in sorted(wanted)
    ]
    FulfilledItem.objects.bulk_create(rows, ignore_conflicts=True)
