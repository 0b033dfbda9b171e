"""What goes wrong with an export is said, tried again, and swept away."""

import datetime as dt
import os
import time
import uuid
from pathlib import Path

import pytest
import redis
from django.conf import settings as live
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.utils import timezone

from merchant.models import Merchant
from tests.conftest import SNOW, Person
from tests.transactions.export_requests import ask, made, rung
from transactions import exporting, tasks
from transactions.exporting import dropping
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_that_is_not_ready_cannot_be_fetched(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    assert ann.browser.get(f"/exports/{export.pk}/download/").status_code == 404
    Export.objects.update(state="failed")
    assert ann.browser.get(f"/exports/{export.pk}/download/").status_code == 404


def test_a_file_that_got_lost_is_a_404(ann: Person, filled: Merchant, folder: Path) -> None:
    export = made(ann)
    (folder / export.file_name).unlink()
    assert ann.browser.get(f"/exports/{export.pk}/download/").status_code == 404


def test_a_pdf_of_too_many_rows_says_what_to_do(ann: Person, filled: Merchant, settings) -> None:
    settings.EXPORT_PDF_CEILING = 10
    export = made(ann, "", "pdf")
    assert export.state == "failed"
    assert "10" in export.error
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert export.error in page.replace("&#x27;", "'")


def test_a_folder_that_cannot_be_written_is_a_failed_export_that_says_so(
    ann: Person, filled: Merchant, folder: Path
) -> None:
    export = ask(ann)
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.error) == (
        "failed",
        "The file could not be made. Try again, or tell your administrator.",
    )
    assert export.finished_at
    assert str(folder) not in ann.browser.get(f"/exports/{export.pk}/").content.decode()


def test_an_export_whose_filter_makes_no_sense_any_more_fails_in_words(ann: Person, filled: Merchant) -> None:
    export = ask(ann, f"project={SNOW}")
    filled.projects.get(paysuper_id=SNOW).delete()
    cache.clear()
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert export.state == "failed"
    assert "There is no such project." in export.error


def test_an_export_that_somebody_is_making_is_left_alone(ann: Person, filled: Merchant, folder: Path) -> None:
    export = ask(ann)
    assert exporting._claim(str(export.pk))
    tasks.make_export(str(export.pk))
    assert list(folder.iterdir()) == []
    export.refresh_from_db()
    assert export.state == "running"
    assert list(exporting.waiting()) == []
    assert "Reading the list" in ann.browser.get(f"/exports/{export.pk}/").content.decode()


def test_lost_bells_and_dead_workers_are_rung_for_again(ann: Person, filled: Merchant) -> None:
    lost, dead, done = ask(ann), ask(ann), made(ann)
    assert exporting._claim(str(dead.pk))
    redis.Redis.from_url(live.CELERY_BROKER_URL).delete("exports")
    assert list(exporting.waiting()) == [lost.pk]
    cache.clear()  # the heartbeat of the dead worker runs out
    tasks.sweep_exports()
    assert rung() == 2
    for pk in exporting.waiting():
        tasks.make_export(str(pk))
    assert set(Export.objects.values_list("state", flat=True)) == {"ready"}
    assert Export.objects.count() == 3
    assert done.state == "ready"


def test_old_exports_go_with_their_files(ann: Person, filled: Merchant, folder: Path) -> None:
    old, young, failed = made(ann), made(ann), ask(ann)
    past = timezone.now() - Export.LIFETIME - dt.timedelta(minutes=1)
    Export.objects.filter(pk__in=[old.pk, failed.pk]).update(created_at=past, finished_at=past)
    tasks.sweep_exports()
    assert set(Export.objects.values_list("pk", "state")) == {(young.pk, "ready"), (old.pk, "expired")}
    assert [path.name for path in folder.iterdir()] == [young.file_name]
    assert ann.browser.get(f"/exports/{old.pk}/download/").status_code == 404
    page = ann.browser.get(f"/exports/{old.pk}/").content.decode()
    assert "no longer kept" in page
    assert old.sha256 in page


def test_a_file_that_is_gone_already_does_not_stop_the_sweep(
    ann: Person, filled: Merchant, folder: Path
) -> None:
    old, other = made(ann), made(ann)
    (folder / old.file_name).unlink()
    Export.objects.update(finished_at=timezone.now() - Export.LIFETIME - dt.timedelta(minutes=1))
    tasks.sweep_exports()
    assert set(Export.objects.values_list("state", flat=True)) == {"expired"}
    assert list(folder.iterdir()) == []
    assert not list(folder.iterdir())
    assert other.file_name


def test_an_export_that_kills_its_worker_fails_after_three_attempts(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    for _ in range(3):
        assert exporting._claim(str(export.pk))
        cache.clear()  # the worker is dead
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert export.state == "failed"
    assert "stopped in the middle" in export.error


def test_what_killed_workers_left_behind_is_swept(
    ann: Person,
    filled: Merchant,
    folder: Path,
    tmp_path_factory,
    monkeypatch,
) -> None:
    kept = made(ann)
    half = storages["exports"].save(f"{uuid.uuid4()}.csv", ContentFile(b"half"))
    young = storages["exports"].save(f"{uuid.uuid4()}.csv", ContentFile(b"being written"))
    foreign = storages["exports"].save("somebody-else.csv", ContentFile(b"theirs"))
    place = tmp_path_factory.mktemp("tmp")
    monkeypatch.setattr(dropping.tempfile, "gettempdir", lambda: str(place))
    dead, working, other = (
        place / f"export-{uuid.uuid4()}-ab_c",
        place / f"export-{uuid.uuid4()}-x",
        place / "export-x",
    )
    for each in (dead, working, other):
        each.mkdir()
        (each / ".list.csv.x.part").write_text("half")
    long_ago = time.time() - 7200
    old = [
        folder / half,
        folder / foreign,
        folder / kept.file_name,
        dead,
        dead / ".list.csv.x.part",
        other,
        working,
    ]
    for path in old:
        os.utime(path, (long_ago, long_ago))
    exporting.expire()
    assert {path.name for path in folder.iterdir()} == {kept.file_name, young, foreign}
    assert {path.name for path in place.iterdir()} == {working.name, other.name}
