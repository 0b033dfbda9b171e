"""What happens by itself when an order has been paid."""

from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from fulfillment import actions
from fulfillment.automatic import message
from fulfillment.models import Action, FulfilmentRule, ServerCall
from merchant import audit
from merchant.models import Merchant
from transactions.models import TO_FULFIL, Transaction

_HANDLED = (Action.Kind.FULFIL, Action.Kind.REFUND)


def begin(merchant: Merchant, order_uuid: UUID) -> int | None:
    """Fulfil a paid order without hands where its project's rule says so.

    To be called after the order was read again: what counts is the mirror and never a webhook's word. Gives
    the call of the merchant's server that the caller rings for, if there is one. It happens once per order,
    however often this is called, and not again when a person has undone it.
    """
    automatic = FulfilmentRule.objects.filter(merchant=merchant).exclude(automatic_since=None)
    if not automatic.filter(project__transactions=order_uuid).exists():
        return None  # at once, and without a lock: most webhooks tell of orders that wait for hands
    with transaction.atomic():
        mine = Transaction.objects.filter(merchant=merchant, pk=order_uuid)
        entry = mine.select_for_update().first()
        rule = FulfilmentRule.of(entry.project) if entry else None
        if entry is None or rule is None or not _owed(rule).filter(pk=entry.pk).exists():
            return None
        if rule.server_url:
            return _call(entry).pk
        actions.fulfil_automatically(entry, "")
        return None


def missed() -> list[Transaction]:
    """Paid orders that nobody has begun with: their webhook was lost, or the worker died over it."""
    automatic = FulfilmentRule.objects.exclude(automatic_since=None).select_related("project")
    return [entry for rule in automatic for entry in _owed(rule).select_related("merchant")[:100]]


def _owed(rule: FulfilmentRule) -> QuerySet[Transaction]:
    """What was paid since the rule was switched on and nobody has handled; before, it is for hands."""
    owed = Transaction.objects.filter(TO_FULFIL, project=rule.project)
    if rule.automatic_since is None:
        return owed.none()
    paid = Q(paid_at__gte=rule.automatic_since)
    paid |= Q(paid_at=None, created_at__gte=rule.automatic_since)
    handled = Action.objects.filter(transaction=OuterRef("pk"), kind__in=_HANDLED)
    called = ServerCall.objects.filter(transaction=OuterRef("pk"))
    return owed.filter(paid, ~Exists(handled), ~Exists(called)).order_by("created_at", "uuid")


def _call(entry: Transaction) -> ServerCall:
    event = ServerCall.Event.PAID
    call = ServerCall.objects.create(
        merchant=entry.merchant,
        project=entry.project,
        transaction=entry,
        event=event,
        body=message.body(entry, event),
        try_at=timezone.now(),
    )
    audit.record(entry.merchant, None, "server_call.begun", entry.pk, call=call.pk)
    return call
