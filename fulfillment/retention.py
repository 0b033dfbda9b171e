"""Dropping texts that tell of customers when their time is over, as the merchant's rules say.

Rows stay, with their times, outcomes and sums: what is emptied is the body of a webhook, the text of a mail,
what the merchant's server was told and answered. Nothing is touched that somebody or something still needs:
webhooks that are not settled, mails and calls under way, calls that a person may still send again. Files of
exports are dropped by `transactions.exporting`, by the same rules; the audit is never dropped.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from fulfillment.models import Message, ServerCall, ServerCallTry, WebhookEvent
from merchant import audit
from merchant.models import Merchant, RetentionRules
from transactions.models import Fulfilment, Status

AT_ONCE = 1000
_SETTLED = (WebhookEvent.State.PROCESSED, WebhookEvent.State.IGNORED)


@dataclass(frozen=True)
class Kind:
    """Rows that may be emptied once `moment` lies far enough back."""

    name: str
    rows: QuerySet[Any]
    moment: str
    days: int | None
    emptied: tuple[str, ...]


def drop(merchant: Merchant) -> dict[str, int]:
    """Empty what is too old, in small steps, each audited with its count; gives the counts by name."""
    now = timezone.now()
    return {
        kind.name: sum(_steps(merchant, kind, now - dt.timedelta(days=kind.days))) if kind.days else 0
        for kind in kinds(merchant)
    }


def kinds(merchant: Merchant) -> list[Kind]:
    """What can be emptied of this merchant's, by the rules as they are now."""
    rules = RetentionRules.of(merchant.pk)
    webhooks = WebhookEvent.objects.filter(merchant=merchant, state__in=_SETTLED).exclude(body="")
    mails = Message.objects.filter(merchant=merchant).exclude(state__in=Message.OPEN)
    calls = ServerCall.objects.filter(merchant=merchant).exclude(state__in=ServerCall.OPEN).exclude(body="")
    still_to_do = Q(
        state=ServerCall.State.GIVEN_UP,
        transaction__status=Status.PROCESSED,
        transaction__fulfilment=Fulfilment.UNFULFILLED,
    )
    texts = ("text", "html", "activation_keys")
    return [
        Kind("webhooks", webhooks, "last_received_at", rules.webhook_days, ("body",)),
        Kind("mails", mails.exclude(text="", html=""), "created_at", rules.mail_days, texts),
        Kind("calls", calls.exclude(still_to_do), "created_at", rules.call_days, ("body",)),
    ]


def _steps(merchant: Merchant, kind: Kind, before: dt.datetime) -> Iterator[int]:
    """Step by step from the oldest on; how many rows each step has emptied."""
    reached = None
    while True:
        count, reached = _step(merchant, kind, before, reached)
        yield count
        if count < AT_ONCE:
            return


def _step(
    merchant: Merchant, kind: Kind, before: dt.datetime, reached: dt.datetime | None
) -> tuple[int, dt.datetime | None]:
    moment = kind.moment
    with transaction.atomic():
        old = kind.rows.filter(**{f"{moment}__lt": before})
        if reached:
            old = old.filter(**{f"{moment}__gte": reached})
        # Whatever comes again meanwhile waits, and is young afterwards.
        locked = old.select_for_update(of=("self",)).order_by(moment, "pk")
        chosen = list(locked.values_list("pk", moment)[:AT_ONCE])
        if not chosen:
            return 0, reached
        keys = [pk for pk, _ in chosen]
        kind.rows.model.objects.filter(pk__in=keys).update(**dict.fromkeys(kind.emptied, ""))
        if kind.rows.model is ServerCall:
            ServerCallTry.objects.filter(call__in=keys).update(answer="")
        audit.record(
            merchant, None, "retention.dropped", kind.name, count=len(keys), older_than=before.isoformat()
        )
    return len(keys), chosen[-1][1]
