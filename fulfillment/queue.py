"""What waits for hands: paid orders whose goods are owed, and goods to withdraw, oldest first."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from fulfillment.models import Claim, FulfilmentRule, ServerCall
from merchant.models import Merchant, Project
from transactions import overview, paging
from transactions.models import TO_FULFIL, TO_WITHDRAW, Transaction

LISTS = {"fulfil": TO_FULFIL, "withdraw": TO_WITHDRAW}
PAGE_SIZE = 50
# Some payments stay pending for days before they are paid. Bounds the walk along the index of what waits.
_LONGEST_PENDING = dt.timedelta(days=7)
_VALUES = (
    "uuid",
    "type",
    "status",
    "created_at",
    "paid_at",
    "transaction_id",
    "product",
    "is_production",
    "charge_amount",
    "charge_currency",
    "customer_name",
    "customer_email",
    "customer_id",
    "fulfilment",
    "refund_state",
    "project_id",
    "project__name",
)


@dataclass(frozen=True)
class Waiting:
    """One order of the queue: its age against the promise, who is on it, and how its server call stands."""

    row: dict[str, Any]
    age: str
    is_overdue: bool
    left: str
    claim: Claim | None
    call: ServerCall | None


@dataclass(frozen=True)
class Page:
    """One page of the queue with the cursors of its neighbours ("" where there is none)."""

    rows: list[Waiting]
    previous: str
    next: str


def entries(
    merchant: Merchant, wanted: str, project: Project | None, *, older: bool = False
) -> QuerySet[Transaction]:
    """The orders of one of LISTS, of one project or all.

    The goods of what was paid before the merchant was connected were handed over elsewhere: such orders
    are among those to fulfil with `older` only. They can be fulfilled all the same.
    """
    found = Transaction.objects.filter(LISTS[wanted], merchant=merchant)
    found = found.filter(project=project) if project else found
    return found if older or wanted == "withdraw" else found.filter(_since(merchant.created_at))


def left_out(merchant: Merchant, project: Project | None) -> int | None:
    """How many orders to fulfil are left out since they are older, or None for very many."""
    everything = entries(merchant, "fulfil", project, older=True).filter(created_at__lt=merchant.created_at)
    return overview.counted(everything.exclude(paid_at__gte=merchant.created_at))


def page(
    merchant: Merchant, wanted: str, project: Project | None, cursor: str, *, older: bool = False
) -> Page:
    """The orders at `cursor`, by the moment at which they were made; a payment follows within minutes."""
    selected = entries(merchant, wanted, project, older=older)
    found = paging.page(selected, "date", cursor, PAGE_SIZE, _VALUES)
    promises = _promises(merchant)
    claims, calls = _claims(row["uuid"] for row in found.rows), _calls(row["uuid"] for row in found.rows)
    rows = [
        _waiting(row, promises.get(row["project_id"]), claims.get(row["uuid"]), calls.get(row["uuid"]))
        for row in found.rows
    ]
    return Page(rows, found.previous, found.next)


def counted(merchant: Merchant, wanted: str, project: Project | None, *, older: bool = False) -> int | None:
    """How many wait, or None for very many."""
    return overview.counted(entries(merchant, wanted, project, older=older))


def overdue(merchant: Merchant, project: Project | None, *, older: bool = False) -> int | None:
    """How many orders have waited longer than their project promises, or None for very many."""
    now, promises = timezone.now(), _promises(merchant)
    usual = Q(created_at__lt=now - dt.timedelta(hours=FulfilmentRule.PROMISE_HOURS))
    late = usual & ~Q(project__in=list(promises))
    for project_id, promise in promises.items():
        late |= Q(project=project_id, created_at__lt=now - promise)
    return overview.counted(entries(merchant, "fulfil", project, older=older).filter(late))


def in_words(time: dt.timedelta) -> str:
    """A span of time in its largest unit, such as "5 h"."""
    minutes = int(time.total_seconds() // 60)
    if minutes < 60:  # noqa: PLR2004 - minutes
        return f"{max(minutes, 0)} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24:,} days"  # noqa: PLR2004 - hours


def _since(start: dt.datetime) -> Q:
    made = Q(created_at__gte=start - _LONGEST_PENDING)
    return made & (Q(created_at__gte=start) | Q(paid_at__gte=start))


def _waiting(
    row: dict[str, Any], promise: dt.timedelta | None, claim: Claim | None, call: ServerCall | None
) -> Waiting:
    age = timezone.now() - (row["paid_at"] or row["created_at"])
    left = (promise or dt.timedelta(hours=FulfilmentRule.PROMISE_HOURS)) - age
    return Waiting(row, in_words(age), left < dt.timedelta(0), in_words(left), claim, call)


def _promises(merchant: Merchant) -> dict[int, dt.timedelta]:
    return {rule.pk: rule.promise for rule in FulfilmentRule.objects.filter(merchant=merchant)}


def _claims(uuids: Iterable[UUID]) -> dict[UUID, Claim]:
    live = Claim.objects.filter(transaction__in=list(uuids), until__gt=timezone.now())
    return {claim.transaction_id: claim for claim in live.select_related("user")}


def _calls(uuids: Iterable[UUID]) -> dict[UUID, ServerCall]:
    calls = ServerCall.objects.filter(transaction__in=list(uuids)).defer("body")
    return {call.transaction_id: call for call in calls}
