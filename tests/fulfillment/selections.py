"""Selected rows, for the tests of bulk actions."""

import csv
import io

import pytest
from django.conf import settings
from django.http import HttpResponse

from fulfillment.forms import REASONS
from fulfillment.models import Action, Batch
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from transactions.models import Transaction

State = Action.State
CONFIRM = {"reason": REASONS[0], "note": "bad build"}


@pytest.fixture
def orders(lantern: Merchant, desk: Desk) -> list[Transaction]:
    """Four orders that can be refunded."""
    return [mirrored_order(lantern, desk) for _ in range(4)]


def select(person: Person, entries: list[Transaction], kind: str = "refund", **more: object) -> HttpResponse:
    data = {"row": [str(entry.pk) for entry in entries], "key": "form-1", "query": "sort=amount"}
    return person.browser.post(f"/transactions/bulk/{kind}/", data | more)


def previewed(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    answer = select(person, entries, kind)
    assert answer.status_code == 302, answer.content
    return Batch.objects.get(pk=answer["Location"].strip("/").split("/")[-1])


def confirm(person: Person, batch: Batch, typed: str, **more: object) -> HttpResponse:
    return person.browser.post(f"/batches/{batch.pk}/confirm/", CONFIRM | {"typed": typed} | more)


def confirmed(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    batch = previewed(person, entries, kind)
    going = batch.items.filter(state="waiting").count()
    assert confirm(person, batch, f"{kind} {going}").status_code == 302
    return fresh(batch)


def said(batch: Batch) -> list[tuple[str, str]]:
    return list(batch.items.values_list("state", "verdict"))


def results(person: Person, batch: Batch) -> list[dict[str, str]]:
    answer = person.browser.get(f"/batches/{batch.pk}/download/")
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def rung() -> int:
    """How often the bell of batches has been rung."""
    import redis

    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as broker:
        return sum(b"run_batch" in message for message in broker.lrange("money", 0, -1))
