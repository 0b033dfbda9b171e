"""From a selection to a batch that is confirmed."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfillment import actions, amounts, rules
from fulfillment.models import Batch, BatchItem, Claim
from merchant import audit
from merchant.models import Membership, RefundRules
from transactions.models import Transaction


def prepare(
    membership: Membership, kind: Batch.Kind, uuids: Sequence[UUID], *, form_key: str, query: str
) -> Batch:
    """A preview of what would become of these transactions of the member's merchant; changes none of them.

    The same form sent again gets the same preview as long as it is not confirmed.
    """
    rows = sorted(map(str, uuids))
    key = hashlib.sha256("\n".join([kind, form_key, *rows]).encode()).hexdigest()
    owner = {"merchant": membership.merchant, "requested_by": membership.user}
    try:
        with transaction.atomic():
            batch = Batch.objects.create(**owner, kind=kind, key=key, query=query)
            BatchItem.objects.bulk_create(_items(batch, membership, uuids))
    except IntegrityError:
        return Batch.objects.filter(**owner, key=key).latest("created_at")
    return batch


def confirm(batch: Batch, membership: Membership, *, reason: str = "", note: str = "") -> bool:
    """Let the workers begin; tells whether it was this call that did. The caller rings after commit.

    Only who has seen the preview can confirm it, once.
    """
    now = timezone.now()
    values = {"reason": reason, "note": note, "confirmed_at": now, "look_at": now}
    mine = Batch.objects.filter(pk=batch.pk, state=Batch.State.PREVIEWED, requested_by=membership.user)
    with transaction.atomic():
        if not mine.update(state=Batch.State.RUNNING, **values):
            return False
        rows = batch.items.filter(state=BatchItem.State.WAITING).count()
        said = {name: text for name, text in {"reason": reason, "note": note}.items() if text}
        event = f"batch.{batch.kind}"
        audit.record(batch.merchant, membership.user, event, batch.pk, rows=rows, **said)
    batch.refresh_from_db()
    return True


def expire() -> None:
    """Drop previews that nobody confirmed."""
    old = timezone.now() - Batch.PREVIEW_LIFETIME
    Batch.objects.filter(state=Batch.State.PREVIEWED, created_at__lt=old).delete()


def _items(batch: Batch, membership: Membership, uuids: Sequence[UUID]) -> list[BatchItem]:
    entries = Transaction.objects.filter(merchant=membership.merchant).in_bulk(uuids)
    policy = RefundRules.of(membership.merchant)
    claimed = set(Claim.objects.filter(transaction__in=uuids).values_list("transaction", flat=True))
    items = []
    for position, uuid in enumerate(uuids, 1):
        item = BatchItem(batch=batch, transaction=entries[uuid], position=position)
        if batch.kind == Batch.Kind.REFUND:
            _look_at_refund(item, membership, policy)
        else:
            _look_at_fulfilment(item, membership, is_claimed=uuid in claimed)
        items.append(item)
    return items


def _look_at_refund(item: BatchItem, membership: Membership, policy: RefundRules) -> None:
    """Whether all that is left of the charge can go back, and whether somebody else has to agree."""
    entry = item.transaction
    left = amounts.left(entry, policy)
    blocker = rules.refund_blocker(entry, membership)
    if not blocker and left <= 0:
        blocker = "The whole charge has gone back already."
    _note(item, left, blocker)
    if not blocker and amounts.needs_approval(entry, left, policy, membership.role):
        item.verdict = "Then it waits for the approval of a second person."


def _look_at_fulfilment(item: BatchItem, membership: Membership, *, is_claimed: bool) -> None:
    """Whether it can be handed over, and nobody else is on it."""
    entry = item.transaction
    blocker = rules.fulfil_blocker(entry, membership)
    if not blocker and is_claimed:
        blocker = actions.claim_blocker(entry, membership.user)
    _note(item, entry.charge_amount, blocker)


def _note(item: BatchItem, amount: Decimal, blocker: str) -> None:
    item.seen_amount, item.seen_currency = amount, item.transaction.charge_currency
    item.state = BatchItem.State.LEFT_OUT if blocker else BatchItem.State.WAITING
    item.verdict = blocker
