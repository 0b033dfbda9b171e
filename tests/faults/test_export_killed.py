"""A worker that is killed in the middle of an export: no half file is ever taken for a whole one."""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.db import connection

from merchant.models import Merchant
from tests.conftest import Person
from tests.transactions import rows
from transactions import exporting, exports, tasks
from transactions.exporting import asking, dropping
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)
# The worker stands still once it says that some rows are done: half a file is there then, on any computer.
_WORK = """
import os, signal, sys, django
django.setup()
from transactions import tasks
from transactions.exporting import progress
from transactions.exports import csv_file

def stands_still(export):
    return lambda done, total: done and os.kill(os.getpid(), signal.SIGSTOP)

csv_file._REPORT_EVERY = csv_file._BATCH
progress.teller = stands_still
tasks.make_export(sys.argv[1])
"""


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, settings) -> Path:
    """The folder of finished files."""
    folder = tmp_path / "kept"
    place = live.STORAGES["exports"]
    options = place["OPTIONS"] | {"location": str(folder)}
    settings.STORAGES = live.STORAGES | {"exports": place | {"OPTIONS": options}}
    return folder


def started(export: Export, kept: Path, working: Path) -> subprocess.Popen[bytes]:
    """The work of a worker on the database of the tests, in a process of its own."""
    there = connection.settings_dict
    place = f"{there['HOST']}:{there['PORT']}/{there['NAME']}"
    own = {
        "DJANGO_SETTINGS_MODULE": "merchant.settings",
        "DATABASE_URL": f"postgres://{there['USER']}:{there['PASSWORD']}@{place}",
        "REDIS_URL": live.REDIS_URL,
        "EXPORT_STORAGE_URL": kept.as_uri(),
        "TMPDIR": str(working),
    }
    return subprocess.Popen(
        [sys.executable, "-c", _WORK, str(export.pk)], cwd=live.BASE_DIR, env=os.environ | own
    )


def killed_in_the_middle(export: Export, kept: Path, working: Path) -> None:
    """A kill -9 with some rows written; the half file stays where it was written."""
    process = started(export, kept, working)
    try:
        deadline = time.monotonic() + 60
        while not (found := os.waitpid(process.pid, os.WUNTRACED | os.WNOHANG))[0]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert os.WIFSTOPPED(found[1])
        assert [each for each in working.rglob("*") if each.is_file() and each.stat().st_size]
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def working(tmp_path: Path) -> Path:
    """The folder of files that are being made."""
    (tmp_path / "working").mkdir()
    return tmp_path / "working"


@pytest.mark.parametrize(("form", "number"), [("csv", 1500), ("xlsx", 1500), ("pdf", 500)])
def test_an_export_whose_worker_is_killed_is_made_whole_by_the_next(
    ann: Person, lantern: Merchant, kept: Path, working: Path, monkeypatch, form: str, number: int
) -> None:
    rows.fill(lantern, number)
    export = asking.ask(ann.membership, form, "sort=amount", [], exports.Layout())
    killed_in_the_middle(export, kept, working)

    export.refresh_from_db()
    assert (export.state, export.file_name, export.sha256) == ("running", "", "")
    assert ann.browser.get(f"/exports/{export.pk}/download/").status_code == 404
    assert not kept.exists() or not list(kept.iterdir())
    assert list(exporting.waiting()) == []  # it might still be alive

    cache.clear()  # the heartbeat of the dead runs out
    assert list(exporting.waiting()) == [export.pk]
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.rows_total, export.attempts) == ("ready", number, 2)
    [file] = kept.iterdir()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == export.sha256

    monkeypatch.setattr(tempfile, "tempdir", str(working))
    left = list(working.glob(f"{dropping.FOLDER}*"))
    assert left
    for path in [*left, *(each for folder in left for each in folder.rglob("*"))]:
        os.utime(path, (time.time() - 7200,) * 2)
    exporting.expire()
    assert not list(working.glob(f"{dropping.FOLDER}*"))
    assert list(kept.iterdir()) == [file]


def test_one_that_kills_every_worker_fails_in_words_and_can_be_tried_again(
    ann: Person, lantern: Merchant, kept: Path, working: Path
) -> None:
    rows.fill(lantern, 1500)
    export = asking.ask(ann.membership, "csv", "", [], exports.Layout())
    Export.objects.update(state="running", attempts=2)
    killed_in_the_middle(export, kept, working)
    cache.clear()

    tasks.make_export(str(export.pk))
    assert not kept.exists()
    assert "was stopped in the middle 3 times" in ann.browser.get(f"/exports/{export.pk}/").content.decode()

    ann.browser.post(f"/exports/{export.pk}/again/")
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert (export.state, export.error, export.rows_total) == ("ready", "", 1500)
