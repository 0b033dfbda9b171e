"""Exports as people ask for them, for tests."""

from pathlib import Path

import pytest
import redis
from django.conf import settings as live
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from transactions import exporting, tasks
from transactions.models import Export


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings) -> Path:
    """The exports of the test are kept in a folder of its own."""
    exports = live.STORAGES["exports"]
    options = exports["OPTIONS"] | {"location": str(tmp_path)}
    settings.STORAGES = live.STORAGES | {"exports": exports | {"OPTIONS": options}}
    return tmp_path


@pytest.fixture
def filled(lantern: Merchant) -> Merchant:
    rows.fill(lantern, 60)
    return lantern


def ask(person: Person, query: str = "", export_format: str = "csv") -> Export:
    answer = person.browser.post("/exports/", {"format": export_format, "query": query})
    assert answer.status_code == 302
    export = Export.objects.get(pk=answer["Location"].strip("/").split("/")[-1])
    assert answer["Location"] == f"/exports/{export.pk}/"
    return export


def made(person: Person, query: str = "", export_format: str = "csv") -> Export:
    export = ask(person, query, export_format)
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    return export


def fetched(person: Person, export: Export) -> bytes:
    answer = person.browser.get(f"/exports/{export.pk}/download/")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def rung() -> int:
    """How often the bell of the export workers has been rung."""
    broker = redis.Redis.from_url(live.CELERY_BROKER_URL)
    with broker:
        return broker.llen("exports")


def posted(person: Person, export: Export, what: str):
    return person.browser.post(f"/exports/{export.pk}/{what}/", follow=True)


def verified(person: Person, content: bytes, name: str = "list.csv") -> str:
    answer = person.browser.post("/exports/verify/", {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def drop_file(export: Export) -> None:
    Export.objects.filter(pk=export.pk).update(
        finished_at=timezone.now() - Export.LIFETIME - timezone.timedelta(minutes=1)
    )
    exporting.expire()
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("expired", "")
