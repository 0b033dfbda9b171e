"""From a selection to a batch that is confirmed."""

import hashlib
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from fulfillment import rules
from fulfillment.models import Batch, BatchItem
from merchant import audit
from merchant.models import Membership
from transactions.models import Transaction

_BLOCKERS: dict[str, Callable[[Transaction, Membership], str]] = {
    Batch.Kind.FULFIL: rules.fulfil_blocker,
    Batch.Kind.REFUND: rules.refund_blocker,
}


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
    blocker = _BLOCKERS[batch.kind]
    entries = Transaction.objects.filter(merchant=membership.merchant).in_bulk(uuids)
    items = []
    for position, uuid in enumerate(uuids, 1):
        entry = entries[uuid]
        verdict = blocker(entry, membership)
        items.append(
            BatchItem(
                batch=batch,
                transaction=entry,
                position=position,
                seen_amount=entry.charge_amount,
                seen_currency=entry.charge_currency,
                verdict=verdict,
                state=BatchItem.State.LEFT_OUT if verdict else BatchItem.State.WAITING,
            )
        )
    return items
