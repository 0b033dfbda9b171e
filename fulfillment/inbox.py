"""The inbox of PaySuper's webhooks: stored before anything else, processed when it suits us.

A webhook is a hint that something happened to an order; what happened is read over the API.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import connection
from django.utils import timezone

from fulfillment.models import WebhookEvent
from merchant.encryption import encrypt
from merchant.models import Project
from merchant.paysuper.errors import NotFound, PaySuperError
from transactions import sync
from transactions.models import StatusChange

log = structlog.get_logger()
State = WebhookEvent.State

PAYMENT_EVENTS = frozenset({"payment.success", "payment.cancel", "payment.refund", "payment.chargeback"})
# The bell after storing is expected within this time; then the sweeper rings.
BELL_AT_MOST = dt.timedelta(seconds=20)
# PaySuper itself repeats for two days; an order it does not know by then does not exist.
UNKNOWN_AT_MOST = dt.timedelta(days=2)
_LONGEST_PAUSE = 600.0

_STORE = """
INSERT INTO fulfillment_webhookevent AS event (
    merchant_id, project_id, event_id, object_hash, event, order_uuid, order_status, testing_case, body,
    deliveries, received_at, last_received_at, state, attempts, try_at, error
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, 'received', 0, %s, '')
ON CONFLICT (project_id, event_id, object_hash) DO UPDATE SET
    deliveries = event.deliveries + 1, last_received_at = EXCLUDED.last_received_at,
    body = EXCLUDED.body, state = 'received', try_at = EXCLUDED.try_at
RETURNING id
"""


class Unreadable(Exception):
    """A body behind a good signature that is no event."""


@dataclass(frozen=True)
class Envelope:
    """What we take from an event before we ask PaySuper (contract §13.1)."""

    event_id: str
    event: str
    order_uuid: UUID | None
    order_status: str
    testing_case: str
    object_hash: str


def envelope(body: bytes) -> Envelope:
    """Read the envelope of an event. Raises Unreadable when it is not a JSON object."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("The body is not JSON.") from error
    if not isinstance(document, dict):
        raise Unreadable("The body is not a JSON object.")
    subject = document.get("object")
    order = subject if isinstance(subject, dict) else {}
    return Envelope(
        event_id=_text(document, "id", 64) or hashlib.sha256(body).hexdigest(),
        event=_text(document, "event", 60),
        order_uuid=_uuid(order.get("id")),
        order_status=_text(order, "status", 20),
        testing_case=_text(order, "testing_case", 50),
        object_hash=hashlib.sha256(msgspec.json.encode(subject, order="sorted")).hexdigest(),
    )


def store(project: Project, body: bytes) -> int:
    """Keep an event whose signature is good, in one INSERT, and give its row's id.

    A repeat of the same event and object is counted and processed again. Raises Unreadable.
    """
    read, now = envelope(body), timezone.now()
    values: list[Any] = [project.merchant_id, project.pk, read.event_id, read.object_hash, read.event]
    values += [
        read.order_uuid,
        read.order_status,
        read.testing_case,
        encrypt(body.decode(errors="replace")),
        now,
        now,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, [*values, now + BELL_AT_MOST])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def process(event: WebhookEvent) -> bool:
    """Re-read the order that the event speaks of; tells whether there was something to read.

    Trouble at PaySuper leaves the event waiting for its next try.
    """
    if event.state != State.RECEIVED:
        return False
    if event.event not in PAYMENT_EVENTS or event.testing_case or event.order_uuid is None:
        _finish(event, State.IGNORED)
        return False
    try:
        sync.refresh(event.merchant, event.order_uuid, StatusChange.Cause.WEBHOOK)
    except PaySuperError as error:
        _try_later(event, error)
        return False
    _finish(event, State.PROCESSED)
    return True


def due() -> list[int]:
    """Events that somebody should ring for now."""
    waiting = WebhookEvent.objects.filter(state=State.RECEIVED, try_at__lte=timezone.now())
    return list(waiting.order_by("try_at").values_list("pk", flat=True)[:1000])


def _finish(event: WebhookEvent, state: WebhookEvent.State, error: str = "") -> None:
    # A delivery that came while we were reading is news again: it must not be marked as done.
    same = WebhookEvent.objects.filter(pk=event.pk, state=State.RECEIVED, deliveries=event.deliveries)
    same.update(state=state, processed_at=timezone.now(), attempts=event.attempts + 1, error=error[:300])


def _try_later(event: WebhookEvent, error: PaySuperError) -> None:
    log.warning("webhook_waits", webhook=event.pk, status=error.status, code=error.code)
    if isinstance(error, NotFound) and timezone.now() - event.last_received_at > UNKNOWN_AT_MOST:
        _finish(event, State.FAILED, "PaySuper does not know this order.")
        return
    pause = dt.timedelta(seconds=min(2.0 * 2 ** min(event.attempts, 10), _LONGEST_PAUSE))
    WebhookEvent.objects.filter(pk=event.pk, state=State.RECEIVED).update(
        attempts=event.attempts + 1, try_at=timezone.now() + pause, error=str(error)[:300]
    )


def _text(source: dict[str, Any], name: str, length: int) -> str:
    value = source.get(name)
    return value.replace("\0", "")[:length] if isinstance(value, str) else ""


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
