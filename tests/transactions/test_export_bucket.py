"""Export files in S3, against a server that speaks it: kept, fetched, swept, and never whole in memory."""

import datetime as dt
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx2
import pytest
from django.conf import settings as live
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from merchant import storage
from merchant.embedded import ports
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.transactions import rows
from tests.transactions.schedules import clock, daily, work
from transactions import exporting, tasks
from transactions.models import Export, ScheduleMail

pytestmark = pytest.mark.django_db(transaction=True)
_MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server in a process of its own."""
    port = ports.free()
    command = [sys.executable, "-m", "moto.server", "-H", ports.HOST, "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address, deadline = f"http://{ports.HOST}:{port}", time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx2.get(f"{address}/moto-api/")
                break
            except httpx2.HTTPError:
                time.sleep(0.05)
        yield address
        process.kill()


@pytest.fixture
def bucket(server: str, settings) -> Iterator[object]:
    """An empty bucket that the product keeps its exports in."""
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "se/cret"}
    s3 = boto3.resource("s3", endpoint_url=server, region_name="eu-central-1", **keys)
    place = {"LocationConstraint": "eu-central-1"}
    made = s3.create_bucket(Bucket="our-exports", CreateBucketConfiguration=place)
    address = f"s3://key:se%2Fcret@our-exports/files?region=eu-central-1&endpoint={server}"
    settings.STORAGES = live.STORAGES | {"exports": storage.configured(address)}
    yield made
    made.objects.all().delete()
    made.delete()


def made(person: Person, export_format: str = "csv") -> Export:
    answer = person.browser.post("/exports/", {"format": export_format})
    export = Export.objects.get(pk=answer["Location"].strip("/").split("/")[-1])
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    return export


def keys(bucket) -> list[str]:
    return [each.key for each in bucket.objects.all()]


def test_a_file_is_kept_in_the_bucket_and_fetched_through_our_own_page(
    ann: Person, vera: Person, lantern: Merchant, bucket
) -> None:
    rows.fill(lantern, 40)
    export = made(ann, "xlsx")
    assert (export.state, export.error) == ("ready", "")
    assert keys(bucket) == [f"files/{export.file_name}"]
    answer = ann.browser.get(f"/exports/{export.pk}/download/")
    body = b"".join(answer.streaming_content)
    assert hashlib.sha256(body).hexdigest() == export.sha256
    assert answer["Content-Length"] == str(len(body))
    assert answer["Content-Disposition"] == f'attachment; filename="{export.download_name}"'
    assert AuditEvent.objects.filter(event="export.downloaded", subject=str(export.pk)).count() == 1
    assert vera.browser.get(f"/exports/{export.pk}/download/").status_code == 403


def test_files_go_after_their_time_and_strays_of_dead_workers_too(
    ann: Person, lantern: Merchant, bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # folders of others are not old, the clock is
    old, young = made(ann), made(ann)
    at = timezone.now() - Export.LIFETIME - dt.timedelta(minutes=1)
    Export.objects.filter(pk=old.pk).update(finished_at=at)
    stray = storages["exports"].save(f"{old.pk}_0123456789abcdef.csv", ContentFile(b"half"))
    exporting.expire()
    assert sorted(keys(bucket)) == sorted([f"files/{young.file_name}", f"files/{stray}"])
    with clock(*(timezone.now() + dt.timedelta(hours=2)).timetuple()[:6]):
        exporting.expire()
    assert keys(bucket) == [f"files/{young.file_name}"]
    old.refresh_from_db()
    assert old.state == "expired"


def test_a_file_that_is_gone_is_not_found(ann: Person, lantern: Merchant, bucket) -> None:
    export = made(ann)
    bucket.objects.all().delete()
    assert ann.browser.get(f"/exports/{export.pk}/download/").status_code == 404


def test_a_schedule_sends_the_file_from_the_bucket(ann: Person, lantern: Merchant, bucket) -> None:
    daily(lantern, ann.membership.user, ann.membership.user)
    with clock(*(timezone.now() + dt.timedelta(days=2)).timetuple()[:6]):
        work()
    assert ScheduleMail.objects.get().state == "sent"


def test_a_storage_that_does_not_answer_is_said_and_the_export_can_be_tried_again(
    ann: Person, lantern: Merchant, bucket, settings
) -> None:
    export = made(ann)
    here = settings.STORAGES
    nowhere = storage.configured(
        f"s3://key:secret@our-exports?region=eu-central-1&endpoint=http://{ports.HOST}:9"
    )
    settings.STORAGES = live.STORAGES | {"exports": nowhere}
    answer = ann.browser.get(f"/exports/{export.pk}/download/", follow=True)
    assert "The file cannot be fetched just now" in answer.content.decode()
    failed = made(ann)
    assert failed.state == "failed"
    settings.STORAGES = here
    ann.browser.post(f"/exports/{failed.pk}/again/")
    tasks.make_export(str(failed.pk))
    failed.refresh_from_db()
    assert failed.state == "ready"


def test_large_files_are_never_whole_in_memory(bucket, tmp_path: Path) -> None:
    content = tmp_path / "large.csv"
    piece = os.urandom(_MEGABYTE)
    with content.open("wb") as file:
        for _ in range(64):
            file.write(piece)
    tracemalloc.start()
    try:
        with content.open("rb") as file:
            name = storages["exports"].save("large.csv", File(file))
        digest, length = hashlib.sha256(), 0
        with storages["exports"].open(name) as kept:
            while read := kept.read(65536):
                digest.update(read)
                length += len(read)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length == 64 * _MEGABYTE
    assert digest.digest() == hashlib.sha256(content.read_bytes()).digest()
    assert peak < 32 * _MEGABYTE


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3:///folder",
        "s3://key@bucket",
        "s3://bucket?colour=red",
        "s3://bucket?endpoint=ftp://x",
        "file://host/folder",
        "https://bucket.example",
        "",
    ],
)
def test_an_address_that_is_none_stops_the_start_without_telling_secrets(address: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        storage.configured(address.replace("key@", "key-of-ours@"))
    assert "key-of-ours" not in str(caught.value)


def test_keys_are_looked_for_in_the_usual_places_when_the_address_has_none() -> None:
    options = storage.configured("s3://bucket")["OPTIONS"]
    assert options == {"bucket_name": "bucket", "location": ""}
