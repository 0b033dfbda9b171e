"""What is not kept: files after their time, what was never finished, and what killed workers left behind."""

import datetime as dt
import re
import shutil
import tempfile
import time
from pathlib import Path

from django.core.files.storage import Storage, storages
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from merchant.models import RetentionRules
from transactions.models import Export

FOLDER = "export-"
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OURS = re.compile(rf"{_UUID}(_\w+)?\.(csv|xlsx|pdf|zip)")
_WORKING = re.compile(rf"{FOLDER}({_UUID}|pdf)-\w+")
# Longer than anybody writes a file without adding to it.
_IDLE_SECONDS = 3600


def expire() -> None:
    """Drop the files that are older than their lifetime and the rows that nothing more can be said about."""
    _drop_files()
    _drop_rows()
    _sweep_storage(storages["exports"])
    _sweep_folders(Path(tempfile.gettempdir()))


def _drop_files() -> None:
    """The row stays, and says that the file was ours when somebody asks."""
    days = Coalesce("merchant__retention_rules__export_days", RetentionRules.EXPORT_DAYS)
    until = ExpressionWrapper(F("finished_at") + days * Value(dt.timedelta(days=1)), DateTimeField())
    files = Export.objects.filter(state=Export.State.READY)
    for export in files.alias(until=until).filter(until__lt=timezone.now()):
        storages["exports"].delete(export.file_name)
        Export.objects.filter(pk=export.pk, state=Export.State.READY, file_name=export.file_name).update(
            state=Export.State.EXPIRED, file_name=""
        )


def _drop_rows() -> None:
    now = timezone.now()
    never_made = Q(sha256="", created_at__lt=now - Export.LIFETIME) & ~Q(state=Export.State.READY)
    forgotten = Q(created_at__lt=now - Export.RECORD_LIFETIME) & ~Q(state=Export.State.READY)
    Export.objects.filter(never_made | forgotten).delete()


def _sweep_storage(storage: Storage) -> None:
    """Files of which no export knows: their worker was killed while it put them there."""
    try:
        names = [name for name in storage.listdir("")[1] if _OURS.fullmatch(name)]
    except FileNotFoundError:
        return  # nothing has been kept yet
    known = set(Export.objects.exclude(file_name="").values_list("file_name", flat=True))
    idle = timezone.now() - dt.timedelta(seconds=_IDLE_SECONDS)
    for name in names:
        if name not in known and storage.exists(name) and storage.get_modified_time(name) < idle:
            storage.delete(name)


def _sweep_folders(place: Path) -> None:
    """Half files in the folders of workers of this machine that were killed."""
    for folder in place.glob(f"{FOLDER}*"):
        if _WORKING.fullmatch(folder.name) and _touched(folder) < time.time() - _IDLE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _touched(folder: Path) -> float:
    try:
        return max(path.lstat().st_mtime for path in [folder, *folder.rglob("*")])
    except OSError:
        return time.time()  # its worker is just clearing it away
