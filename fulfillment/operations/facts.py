"""What waits, what went wrong, and how old the mirrors are."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Min, Model, QuerySet
from django.utils import timezone

from fulfillment.models import Action, Batch, KeyReplacement, Message, ServerCall, WebhookEvent
from merchant import line, replica
from merchant.models import Merchant
from transactions.models import Export, ScheduleMail, SyncState

# Of what has failed for good only the news is worth a word.
NEWS = dt.timedelta(days=1)


@dataclass(frozen=True)
class Mirror:
    """How fresh a merchant's mirror is. Ages in seconds; None: never."""

    merchant: str
    age: float | None
    is_failing: bool
    error: str
    drift: int | None
    drift_age: float | None
    rests: bool


@dataclass(frozen=True)
class Replica:
    """The copy of the database that lists, cards and exports are read from while it is near enough.

    Seconds that it is behind (infinite while nobody knows; None: it does not answer), and that it may be.
    """

    lag: float | None
    limit: float

    @property
    def is_read(self) -> bool:
        """Else the database itself is."""
        return self.lag is not None and self.lag <= self.limit


@dataclass(frozen=True)
class Pile:
    """Rows of one kind and state, and the age (seconds) of the oldest."""

    kind: str
    state: str
    count: int
    oldest: float

    @property
    def state_in_words(self) -> str:
        """As a page says it."""
        return self.state.replace("_", " ")


def mirrors(merchant: Merchant | None = None) -> list[Mirror]:
    """Of every merchant, or of one."""
    found = Merchant.objects.select_related("sync_state").order_by("paysuper_id")
    found = found.only("paysuper_id", "api_url", "sync_state")
    return [_mirror(each) for each in (found.filter(pk=merchant.pk) if merchant else found)]


def copy() -> Replica | None:
    """The replica, if there is one."""
    return Replica(replica.lag(), settings.REPLICA_MAX_LAG) if replica.is_set_up() else None


def piles(merchant: Merchant | None = None) -> list[Pile]:
    """Everything that waits for somebody or something, and what has failed lately."""
    return sorted(_piles(merchant), key=lambda pile: (pile.kind, pile.state))


def _piles(merchant: Merchant | None) -> Iterator[Pile]:
    since = timezone.now() - NEWS
    actions = Action.objects.filter(state__in=Action.OPEN)
    for kind in Action.Kind.values:
        yield from _counted(f"action {kind}", actions.filter(kind=kind), "requested_at", merchant)
    replacements = KeyReplacement.objects.filter(state__in=KeyReplacement.OPEN)
    yield from _counted("key replacement", replacements, "requested_at", merchant)
    events = WebhookEvent.objects
    received, failed = WebhookEvent.State.RECEIVED, WebhookEvent.State.FAILED
    yield from _counted("webhook", events.filter(state=received), "last_received_at", merchant)
    late = events.filter(state=failed, last_received_at__gte=since)
    yield from _counted("webhook", late, "last_received_at", merchant)
    calls = ServerCall.objects
    yield from _counted("server call", calls.filter(state__in=ServerCall.OPEN), "created_at", merchant)
    given_up = calls.filter(state=ServerCall.State.GIVEN_UP, changed_at__gte=since)
    yield from _counted("server call", given_up, "changed_at", merchant)
    exports = Export.objects
    under_way = exports.filter(state__in=[Export.State.WAITING, Export.State.RUNNING])
    yield from _counted("export", under_way, "created_at", merchant)
    broken = exports.filter(state=Export.State.FAILED, created_at__gte=since)
    yield from _counted("export", broken, "created_at", merchant)
    mails = Message.objects
    yield from _counted("mail", mails.filter(state__in=Message.OPEN), "created_at", merchant)
    unsent = mails.filter(state__in=Message.NOT_SENT, changed_at__gte=since)
    yield from _counted("mail", unsent, "changed_at", merchant)
    letters = ScheduleMail.objects
    unsaid = letters.filter(state__in=[ScheduleMail.State.WAITING, ScheduleMail.State.SENDING])
    yield from _counted("schedule mail", unsaid, "run__created_at", merchant)
    lost = letters.filter(state=ScheduleMail.State.FAILED, try_at__gte=since)
    yield from _counted("schedule mail", lost, "try_at", merchant)
    running = Batch.objects.filter(state=Batch.State.RUNNING)
    yield from _counted("batch", running, "confirmed_at", merchant)


def _counted(kind: str, rows: QuerySet[Model], age_of: str, merchant: Merchant | None) -> Iterator[Pile]:
    mine = rows.filter(merchant=merchant) if merchant else rows
    counted = mine.order_by().values("state").annotate(count=Count("pk"), since=Min(age_of))
    for row in counted.values_list("state", "count", "since"):
        yield Pile(kind, row[0], row[1], _age(row[2]) or 0.0)


def _mirror(merchant: Merchant) -> Mirror:
    state: SyncState | None = getattr(merchant, "sync_state", None)
    rests = bool(line.trouble(merchant))
    if state is None:
        return Mirror(
            merchant.paysuper_id, None, is_failing=False, error="", drift=None, drift_age=None, rests=rests
        )
    return Mirror(
        merchant.paysuper_id,
        _age(state.succeeded_at),
        is_failing=state.is_failing,
        error=state.error,
        drift=state.drift_found,
        drift_age=_age(state.drift_checked_at),
        rests=rests,
    )


def _age(at: dt.datetime | None) -> float | None:
    return max(0.0, (timezone.now() - at).total_seconds()) if at else None
