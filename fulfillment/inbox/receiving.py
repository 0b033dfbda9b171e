"""Keeping what has arrived, in one INSERT."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone

from fulfillment.models import WebhookEvent
from merchant.encryption import encrypt
from merchant.models import Project
from merchant.paysuper.values import uuid_of

# Whether a customer may pay (contract §13.9). The first branch of it had a type and no event.
VALIDATION = "user.validate"
_FIRST_VALIDATION = "check_user"
# The bell after storing is expected within this time; then the sweeper rings.
BELL_AT_MOST = dt.timedelta(seconds=20)

_STORE = """
INSERT INTO fulfillment_webhookevent AS event (
    merchant_id, project_id, event_id, object_hash, event, order_uuid, order_status, testing_case, body,
    signed_with, headers, answer, last_received_at, received_at, try_at,
    deliveries, state, attempts, error
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, 'received', 0, '')
ON CONFLICT (project_id, event_id, object_hash) DO UPDATE SET
    deliveries = event.deliveries + 1, last_received_at = EXCLUDED.last_received_at,
    body = EXCLUDED.body, signed_with = EXCLUDED.signed_with, headers = EXCLUDED.headers,
    answer = EXCLUDED.answer, state = 'received', try_at = EXCLUDED.try_at
RETURNING id
"""


class Unreadable(Exception):
    """A body behind a good signature that is no event."""


@dataclass(frozen=True)
class Delivery:
    """What has arrived: the body as received, which secret has signed it, and the headers that help."""

    body: bytes
    signed_with: str = WebhookEvent.Signature.CURRENT
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    """The row of an event, and the answer it gets."""

    id: int
    answer: int


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
    event = _text(document, "event", 60)
    if not event and document.get("type") == _FIRST_VALIDATION:
        event = VALIDATION
    return Envelope(
        event_id=_text(document, "id", 64) or hashlib.sha256(body).hexdigest(),
        event=event,
        order_uuid=uuid_of(order.get("id")) if event != VALIDATION else None,
        order_status=_text(order, "status", 20),
        testing_case=_text(order, "testing_case", 50),
        object_hash=hashlib.sha256(msgspec.json.encode(subject, order="sorted")).hexdigest(),
    )


def store(project: Project, delivery: Delivery) -> Stored:
    """Keep an event whose signature is good, and say how it is answered.

    A repeat of the same event and object is counted and processed again. Raises Unreadable.
    """
    read, now = envelope(delivery.body), timezone.now()
    answer = _answer(project, read)
    values: list[Any] = [project.merchant_id, project.pk, read.event_id, read.object_hash, read.event]
    values += [read.order_uuid, read.order_status, read.testing_case]
    values += [encrypt(delivery.body.decode(errors="replace")), delivery.signed_with]
    values += [msgspec.json.encode(delivery.headers).decode(), answer, now, now, now + BELL_AT_MOST]
    with connection.cursor() as cursor:
        cursor.execute(_STORE, values)
        row = cursor.fetchone()
    return Stored(int(row[0]) if row else 0, answer)


def _answer(project: Project, read: Envelope) -> int:
    """200: taken; the one question that may be answered no: any other answer keeps the customer out."""
    return 403 if read.event == VALIDATION and not project.admits_customers else 200


def _text(source: dict[str, Any], name: str, length: int) -> str:
    value = source.get(name)
    return value.replace("\0", "")[:length] if isinstance(value, str) else ""
