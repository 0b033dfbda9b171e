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
_WORK = """
import sys, django
django.setup()
from transactions import tasks
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
    process = started(export, kept, working)
    try:
        deadline = time.monotonic() + 60
        while not list(working.glob(f"{dropping.FOLDER}*")):  # there once the work has begun
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.5)
    finally:
        process.kill()
        process.wait(10)


def test_an_export_whose_worker_is_killed_is_made_whole_by_the_next(
    ann: Person, lantern: Merchant, kept: Path, tmp_path: Path, monkeypatch
) -> None:
    rows.fill(lantern, 1500)
    working = tmp_path / "working"
    working.mkdir()
    export = asking.ask(ann.membership, "pdf", "sort=amount", [], exports.Layout())
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
    assert (export.state, export.rows_total, export.attempts) == ("ready", 1500, 2)
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
