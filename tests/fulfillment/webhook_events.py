"""Webhooks as PaySuper sends them, for the tests that receive some."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.test import Client as Browser

from fulfillment import tasks
from fulfillment.models import WebhookEvent
from merchant.paysuper import signature
from tests.conftest import HARBOUR, HARBOUR_SECRET, Person
from tests.fulfillment.desk import fresh
from transactions.tasks import sync_merchant

State = WebhookEvent.State
EXAMPLES = sorted((Path(__file__).parents[1] / "paysuper" / "examples").glob("webhook.*.json"))
ADDRESS = f"/webhooks/paysuper/{HARBOUR}/"


def event(order: UUID | str, name: str = "payment.success", status: str = "processed", **more: Any) -> bytes:
    """A notification as PaySuper writes it, as far as we read it."""
    about = {"id": str(order), "object": "order", "status": status} | more.pop("object", {})
    return json.dumps(
        {"id": "a" * 64, "type": "notification", "event": name, "object": about} | more
    ).encode()


def deliver(
    body: bytes, address: str = ADDRESS, secret: str = HARBOUR_SECRET, header: str | None = None
) -> HttpResponse:
    """What PaySuper does. It knows nothing of sessions and CSRF tokens."""
    signed = signature.sign(body, secret) if header is None else header
    browser = Browser(enforce_csrf_checks=True, raise_request_exception=False)
    return browser.post(address, body, content_type="application/json", headers={"Authorization": signed})


def stored(body: bytes) -> WebhookEvent:
    """Delivers, and gives the row."""
    assert deliver(body).status_code == 200
    return WebhookEvent.objects.latest("last_received_at")


def process(row: WebhookEvent) -> WebhookEvent:
    """One try of the worker."""
    tasks.process_webhook(row.pk)
    return fresh(row)


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Which bells were rung."""
    rung: list[tuple[str, int]] = []
    for name in ("process_webhook", "settle_action"):
        monkeypatch.setattr(getattr(tasks, name), "delay", lambda pk, name=name: rung.append((name, pk)))
    later = lambda ids, **_: rung.append(("sync_merchant", *ids))  # noqa: E731
    monkeypatch.setattr(sync_merchant, "apply_async", later)
    return rung


def text_of(person: Person, address: str) -> str:
    answer = person.browser.get(address)
    assert answer.status_code == 200
    return answer.content.decode()
