"""Finds out what became of replacements that were sent, by reading the order's keys (contract §8.1)."""

import datetime as dt
import json

import structlog
from django.db import transaction

from fulfillment import items, mailing
from fulfillment.actions.states import clock, its_turn
from fulfillment.actions.wishes import locked
from fulfillment.models import KeyReplacement, MailRule
from fulfillment.replacing.states import State, keys_of, look_again, move
from merchant.paysuper.errors import PaySuperError
from transactions import sync

log = structlog.get_logger()

# How long an outcome is looked for before a person is asked.
UNKNOWN_AT_MOST = dt.timedelta(minutes=10)
_STOPPED = "The worker stopped before PaySuper answered."
_NO_NEW_KEY = {
    State.ACCEPTED: "PaySuper says that it replaced the key, and shows no new one.",
    State.UNKNOWN: "PaySuper still shows the old key. One of the stock may have been used up all the same.",
}


def settle(replacement: KeyReplacement) -> None:
    """Find out at PaySuper whether the key was replaced. Called by workers only."""
    mine = KeyReplacement.objects.filter(its_turn(), pk=replacement.pk, state=State.SENDING)
    if mine.exists():
        move(replacement, State.SENDING, State.UNKNOWN, outcome=_STOPPED)
    if replacement.state not in KeyReplacement.SENT:
        return
    try:
        sync.refresh(replacement.merchant, replacement.transaction_id)
    except PaySuperError as error:
        log.warning("replacement_not_seen", replacement=replacement.pk, status=error.status, code=error.code)
        _not_seen(replacement, "PaySuper does not tell what became of it.")
        return
    before = json.loads(replacement.keys_before)
    if any(key and key not in before for key in keys_of(replacement)):
        _done(replacement)
    else:
        _not_seen(replacement, _NO_NEW_KEY.get(State(replacement.state), ""))


def due() -> list[int]:
    """Replacements that somebody should ring for now: lost bells, dead workers, next looks."""
    waiting = KeyReplacement.objects.filter(its_turn(), state__in=KeyReplacement.OPEN)
    return list(waiting.order_by("look_at").values_list("pk", flat=True)[:500])


def _not_seen(replacement: KeyReplacement, words: str) -> None:
    waited = clock() - (replacement.sent_at or replacement.requested_at)
    if replacement.state != State.NEEDS_PERSON and waited > UNKNOWN_AT_MOST:
        move(replacement, State(replacement.state), State.NEEDS_PERSON, outcome=words)
    else:
        look_again(replacement)


def _done(replacement: KeyReplacement) -> None:
    """It has ended well, and the customer is told: both or neither."""
    with transaction.atomic():
        order = locked(replacement.transaction)
        mine = [each for each in items.states(order) if each.item.product_id == replacement.product_id]
        handed_over = [each for each in mine if each.is_fulfilled]
        if not MailRule.of(order.project).we_mail:
            words = "PaySuper mails the new key to the customer."
        elif handed_over:
            words = "The new key is mailed to the customer."
        else:
            words = "The new key is mailed when the product is handed over."
        if move(replacement, State(replacement.state), State.DONE, outcome=words):
            mailing.replace_keys(order, handed_over, replacement.pk, replacement.requested_by)
