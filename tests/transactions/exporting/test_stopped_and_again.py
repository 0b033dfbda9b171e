"""An export tells how far it is, can be stopped, and be made again."""

import time
import uuid
from pathlib import Path

import pytest
from django.core.cache import cache

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.transactions.export_requests import ask, drop_file, fetched, made, posted
from transactions import exporting, tasks
from transactions.exporting import progress
from transactions.models import Export, Transaction

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_finished_export_is_not_made_again(ann: Person, filled: Merchant, folder: Path) -> None:
    export = made(ann)
    cache.clear()
    tasks.make_export(str(export.pk))
    tasks.make_export(str(uuid.uuid4()))
    assert [path.name for path in folder.iterdir()] == [export.file_name]
    export.refresh_from_db()
    assert export.state == "ready"


def test_progress_is_shown_while_a_worker_writes(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    assert exporting.progress_of(export) == (0, 0)
    exporting._claim(str(export.pk))
    export.refresh_from_db()
    progress.teller(export)(20, 60)
    assert exporting.progress_of(export) == (20, 60)
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert "20 of 60 rows are written" in page
    part = ann.browser.get(f"/exports/{export.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "20 of 60 rows are written" in part
    assert "<html" not in part


def test_a_waiting_export_can_be_canceled_and_tried_again(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    assert "The export is canceled" in posted(ann, export, "cancel").content.decode()
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert export.state == "canceled"
    assert "nothing to cancel" in posted(ann, export, "cancel").content.decode()
    posted(ann, export, "again")
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.rows_total) == ("ready", 60)
    events = AuditEvent.objects.filter(subject=str(export.pk)).order_by("pk")
    assert [event.event for event in events] == ["export.requested", "export.canceled", "export.asked_again"]


def test_a_worker_stops_when_its_export_is_canceled(
    ann: Person, filled: Merchant, folder: Path, monkeypatch
) -> None:
    export = ask(ann)
    teller = progress.teller

    def canceled_meanwhile(running: Export):
        tell = teller(running)
        posted(ann, running, "cancel")
        return tell

    monkeypatch.setattr(progress, "teller", canceled_meanwhile)
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("canceled", "")
    assert list(folder.iterdir()) == []
    assert not progress.is_alive(export.pk)


def test_a_worker_that_was_overtaken_stops_and_leaves_the_export_to_the_other(
    ann: Person, filled: Merchant, folder: Path
) -> None:
    export = ask(ann)
    assert exporting._claim(str(export.pk))
    slow = Export.objects.select_related("merchant", "requested_by").get(pk=export.pk)
    cache.clear()
    assert exporting._claim(str(export.pk))
    with pytest.raises(progress.TakenAway):
        exporting._make(slow)
    assert not exporting._finish(slow, Export.State.FAILED)
    export.refresh_from_db()
    assert (export.state, export.attempts, list(folder.iterdir())) == ("running", 2, [])


def test_the_worker_of_a_canceled_export_hears_of_it_with_the_next_rows(
    ann: Person, filled: Merchant
) -> None:
    export = ask(ann)
    assert exporting._claim(str(export.pk))
    export.refresh_from_db()
    tell = progress.teller(export)
    posted(ann, export, "cancel")
    with pytest.raises(progress.TakenAway):
        tell(1, 60)


def test_a_finished_export_has_nothing_to_be_made_again(ann: Person, filled: Merchant) -> None:
    export = made(ann)
    assert "has its file" in posted(ann, export, "again").content.decode()
    export.refresh_from_db()
    assert export.state == "ready"


@pytest.mark.parametrize("export_format", ["csv", "xlsx", "pdf"])
def test_the_same_file_is_made_again_while_nothing_has_changed(
    ann: Person, filled: Merchant, export_format: str
) -> None:
    export = made(ann, "sort=amount&status=processed", export_format)
    body = fetched(ann, export)
    was = (export.as_of, export.control, export.sha256)
    drop_file(export)
    time.sleep(1.1)  # files with the time of their making in them would differ now
    posted(ann, export, "again")
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.error) == ("ready", "")
    assert (export.as_of, export.control, export.sha256) == was
    assert fetched(ann, export) == body


def test_a_file_of_changed_transactions_is_not_made_again(
    ann: Person, filled: Merchant, folder: Path
) -> None:
    export = made(ann)
    drop_file(export)
    changed = Transaction.objects.filter(merchant=filled).first()
    changed.product = "Renamed"
    changed.save()
    posted(ann, export, "again")
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert export.state == "expired"
    assert "have changed since" in ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert list(folder.iterdir()) == []


def test_the_page_estimates_the_time_left(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    exporting._claim(str(export.pk))
    cache.set(progress._key(export.pk), (250, 1000, 10.0))
    assert exporting.seconds_left(export) == 30
    assert "About 30 seconds left" in ann.browser.get(f"/exports/{export.pk}/").content.decode()
