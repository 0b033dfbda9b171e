"""Working through the inbox. Only this changes an event's state."""

import datetime as dt
import time

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from fulfillment.models import WebhookEvent
from merchant.paysuper.errors import NoAnswer, NotFound, NotSent, PaySuperError, Unexpected
from transactions import sync
from transactions.models import StatusChange

log = structlog.get_logger()
State = WebhookEvent.State

PAYMENT_EVENTS = frozenset({"payment.success", "payment.cancel", "payment.refund", "payment.chargeback"})
# PaySuper itself repeats for two days; an order it does not know by then does not exist.
UNKNOWN_AT_MOST = dt.timedelta(days=2)
# A bell that has been rung again is given this time before the next one.
_RUNG_AGAIN_AT_MOST = dt.timedelta(seconds=60)
_AT_ONCE = 1000
# Seconds. While PaySuper is away a try costs next to nothing, and once it is back nobody waits long.
_LONGEST_PAUSE, _LONGEST_WHILE_AWAY = 600.0, 60.0


def process(event: WebhookEvent) -> bool:
    """Re-read the order that the event speaks of; tells whether there was something to read.

    Trouble at PaySuper leaves the event waiting for its next try.
    """
    if event.state != State.RECEIVED:
        return False
    if event.event not in PAYMENT_EVENTS or event.testing_case or event.order_uuid is None:
        _finish(event, State.IGNORED)
        return False
    began = time.monotonic()
    try:
        sync.refresh(event.merchant, event.order_uuid, StatusChange.Cause.WEBHOOK)
    except PaySuperError as error:
        _try_later(event, error, _since(began))
        return False
    except Exception as error:  # noqa: BLE001 - nobody would see an event that breaks its worker every time
        # The kind of the error alone: the database quotes the row that it refuses, with the customer in it.
        kind = type(error.__cause__ or error).__name__
        log.warning("webhook_breaks", webhook=event.pk, error=kind)
        _try_later(event, Unexpected(f"The order could not be kept ({kind})."), _since(began))
        return False
    _finish(event, State.PROCESSED, milliseconds=_since(began))
    return True


def due() -> list[int]:
    """Events that somebody should ring for now. Each is due again only when that bell had time."""
    now = timezone.now()
    # No pause is that long: what seems to wait longer was put off before a clock was set back.
    its_turn = Q(try_at__lte=now) | Q(try_at__gt=now + dt.timedelta(seconds=2 * _LONGEST_PAUSE))
    waiting = WebhookEvent.objects.filter(its_turn, state=State.RECEIVED)
    found = list(waiting.order_by("try_at").values_list("pk", flat=True)[:_AT_ONCE])
    waiting.filter(pk__in=found).update(try_at=now + _RUNG_AGAIN_AT_MOST)
    return found


def unsettled(events: QuerySet[WebhookEvent]) -> QuerySet[WebhookEvent]:
    """Those of the events that have failed, or whose last try went wrong."""
    return events.filter(Q(state=State.FAILED) | Q(state=State.RECEIVED, attempts__gt=0))


def replay(events: QuerySet[WebhookEvent]) -> list[int]:
    """Have these events processed again, from the beginning; gives the rows to ring for.

    Nothing is delivered again and nothing is believed: the orders are read once more.
    """
    chosen = list(events.values_list("pk", flat=True))
    WebhookEvent.objects.filter(pk__in=chosen).update(
        state=State.RECEIVED, attempts=0, error="", try_at=timezone.now() + _RUNG_AGAIN_AT_MOST
    )
    return chosen


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _finish(
    event: WebhookEvent, state: WebhookEvent.State, error: str = "", milliseconds: int | None = None
) -> None:
    # A delivery that came while we were reading is news again: it must not be marked as done.
    same = WebhookEvent.objects.filter(pk=event.pk, state=State.RECEIVED, deliveries=event.deliveries)
    done = {"state": state, "processed_at": timezone.now(), "milliseconds": milliseconds}
    same.update(**done, attempts=event.attempts + 1, error=error[:300])


def _try_later(event: WebhookEvent, error: PaySuperError, milliseconds: int) -> None:
    log.warning("webhook_waits", webhook=event.pk, status=error.status, code=error.code)
    if isinstance(error, NotFound) and timezone.now() - event.last_received_at > UNKNOWN_AT_MOST:
        _finish(event, State.FAILED, "PaySuper does not know this order.", milliseconds)
        return
    longest = _LONGEST_WHILE_AWAY if isinstance(error, (NotSent, NoAnswer)) else _LONGEST_PAUSE
    pause = dt.timedelta(seconds=min(2.0 * 2 ** min(event.attempts, 10), longest))
    WebhookEvent.objects.filter(pk=event.pk, state=State.RECEIVED).update(
        attempts=event.attempts + 1,
        try_at=timezone.now() + pause,
        error=str(error)[:300],
        milliseconds=milliseconds,
    )
