"""How a replacement changes its state: the one place that writes it, with mirror and audit in step."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from fulfillment import rules
from fulfillment.actions.states import SENDING_AT_MOST, pause
from fulfillment.models import Action, KeyReplacement
from merchant import audit
from merchant.models import User
from transactions import activation_keys, mirror
from transactions.models import RawOrder, Transaction

State = KeyReplacement.State
_LONGEST_OUTCOME = 300
_OVER = (State.DONE, State.REFUSED)


def move(
    replacement: KeyReplacement,
    before: KeyReplacement.State,
    after: KeyReplacement.State,
    *,
    by: User | None = None,
    **values: Any,
) -> bool:
    """Change the state if it still is `before`; tells whether it was. `by` is None for a worker."""
    values = {"changed_at": timezone.now(), "look_at": None, **values}
    if after in KeyReplacement.OPEN:
        wait = SENDING_AT_MOST if after == State.SENDING else pause(replacement.looks)
        values |= {"look_at": Now() + wait, "looks": replacement.looks + 1}
    if after in _OVER:
        values["keys_before"] = ""
    if "outcome" in values:
        values["outcome"] = values["outcome"][:_LONGEST_OUTCOME]
    with transaction.atomic():
        mine = KeyReplacement.objects.filter(pk=replacement.pk, state=before)
        if not mine.update(state=after, **values):
            return False
        if after != before:
            mirror.record_refund_state(replacement.transaction, _refund_state(replacement.transaction))
            told = {"replacement": replacement.pk, "product": replacement.product_id}
            event = f"key_replacement.{after}"
            audit.record(replacement.merchant, by, event, replacement.transaction_id, **told)
    replacement.refresh_from_db()
    return True


def look_again(replacement: KeyReplacement) -> None:
    """Leave the state, and look again after a longer pause."""
    KeyReplacement.objects.filter(pk=replacement.pk, state=replacement.state).update(
        looks=replacement.looks + 1, look_at=Now() + pause(replacement.looks)
    )


def keys_of(replacement: KeyReplacement) -> list[str]:
    """The keys that the mirror has for the product, "" where there is none: money, which is never logged."""
    document = RawOrder.objects.get(pk=replacement.transaction_id).document
    items = document.get("items")
    mine = [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []
    return [
        activation_keys.opened(each)
        for each in mine
        if each.get("platform_id") and str(each.get("id")) == replacement.product_id
    ]


def _refund_state(entry: Transaction) -> str:
    """What stands beside the order about refunds: one that is open comes before any replacement."""
    refunds = Action.objects.filter(transaction=entry, kind=Action.Kind.REFUND)
    replacements = KeyReplacement.objects.filter(transaction=entry)
    latest = refunds.values_list("state", flat=True).first() or ""
    if latest in rules.REFUND_UNDER_WAY:
        return latest
    if replacements.filter(state__in=KeyReplacement.OPEN).exists():
        return rules.KEY_REPLACING
    return rules.KEY_REPLACED if replacements.filter(state=State.DONE).exists() else latest
