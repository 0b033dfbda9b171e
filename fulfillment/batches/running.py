"""Does a confirmed batch, a piece at a time. Called by workers only."""

import datetime as dt
from collections.abc import Iterator
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from fulfillment import actions
from fulfillment.models import Action, Batch, BatchItem
from merchant.models import Membership

log = structlog.get_logger()

# Between two pieces other actions get their turn.
PIECE = 50
# A piece is done within seconds: a batch that has not moved for this long lost its worker or its bell.
_LOST_AFTER = dt.timedelta(minutes=1)
_WAITING = BatchItem.State.WAITING


def run(batch: Batch) -> Iterator[BatchItem]:
    """Do the next rows; each is given out as soon as it is written, for the caller to ring for its action.

    Several workers may run the same batch: each row is taken by one of them.
    """
    running = Batch.objects.filter(pk=batch.pk, state=Batch.State.RUNNING)
    if not running.update(look_at=timezone.now() + _LOST_AFTER):
        return
    member = Membership.objects.filter(user=batch.requested_by, merchant=batch.merchant, user__is_active=True)
    membership = member.select_related("user", "merchant").first()
    for _ in range(PIECE):
        item = _do_next(batch, membership)
        if item is None:
            break
        yield item
    if not has_more(batch):
        running.update(state=Batch.State.DONE, finished_at=timezone.now(), look_at=None)


def has_more(batch: Batch) -> bool:
    """Whether rows of a running batch wait."""
    return batch.items.filter(state=_WAITING, batch__state=Batch.State.RUNNING).exists()


def due() -> list[UUID]:
    """Batches that somebody should ring for: their bell was lost, or their worker died."""
    now = timezone.now()
    # What lies further ahead than it can was written before a clock was set back.
    is_lost = Q(look_at__lte=now) | Q(look_at__gt=now + 2 * _LOST_AFTER)
    lost = Batch.objects.filter(is_lost, state=Batch.State.RUNNING)
    return list(lost.values_list("pk", flat=True))


def _do_next(batch: Batch, membership: Membership | None) -> BatchItem | None:
    with transaction.atomic():
        waiting = batch.items.filter(state=_WAITING).select_related("transaction")
        item = waiting.select_for_update(of=("self",), skip_locked=True).order_by("position").first()
        if item:
            _do(batch, item, membership)
            item.done_at = timezone.now()
            item.save(update_fields=["state", "verdict", "action", "done_at"])
    return item


def _do(batch: Batch, item: BatchItem, membership: Membership | None) -> None:
    try:
        with transaction.atomic():
            item.action = _ask(batch, item, membership)
    except actions.Blocked as blocked:
        item.state, item.verdict = BatchItem.State.BLOCKED, str(blocked)[:300]
    except (OperationalError, InterfaceError):
        raise  # the row gets its turn when the database is back
    except Exception:
        # One row that breaks must not stand in the way of the others for ever.
        log.exception("batch_row_failed", batch=str(batch.pk), item=item.pk)
        item.state, item.verdict = BatchItem.State.BLOCKED, "Something went wrong; nothing was asked for."
    else:
        item.state, item.verdict = BatchItem.State.ASKED, ""


def _ask(batch: Batch, item: BatchItem, membership: Membership | None) -> Action:
    if membership is None:
        raise actions.Blocked("Who asked for this is no longer a member.")
    if batch.kind == Batch.Kind.FULFIL:
        return actions.fulfil(item.transaction, membership, batch.note)
    seen = (item.seen_amount, item.seen_currency)
    return actions.request_refund(
        item.transaction, membership, reason=batch.reason, note=batch.note, seen=seen
    )
