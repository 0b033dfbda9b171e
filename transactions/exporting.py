"""Jobs that make export files: claim the row, write the list, keep the file for a while."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog
from django.core.cache import cache
from django.core.files import File
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from merchant.models import Merchant
from transactions import exports, paging
from transactions.filters import TransactionFilter
from transactions.models import Export, Transaction

log = structlog.get_logger()

# A worker that has not moved for this long is dead: the export is taken over.
_DEAD_AFTER_SECONDS = 300
_SAY_EVERY_SECONDS = 0.5
_LONGEST_ERROR = 500


class BadFilters(ValueError):
    """The query of an export makes no sense, or none any more."""


def write(
    merchant: Merchant,
    query: str,
    export_format: str,
    path: Path,
    author: str,
    progress: exports.Progress,
    selection: Sequence[UUID] = (),
    *,
    masked: bool = False,
) -> exports.Written:
    """Write the rows of the list with this query, in its order, to `path`; of a selection exactly its rows.
    Masked, it does not say who the customers are, and finds nobody by an address.

    Raises BadFilters for a query that makes no sense and exports.TooManyRows for an endless PDF.
    """
    parameters = QueryDict(query)
    if selection:
        found, words = _selected(merchant, selection)
    else:
        found, words = _filtered(TransactionFilter(merchant, parameters, personal=not masked))
    rows = paging.ordered(found, parameters.get("sort", paging.DEFAULT_ORDER))
    heading = exports.Heading(
        merchant=merchant.name,
        time_zone=merchant.time_zone,
        filter_in_words=words,
        author=author,
        masked=masked,
    )
    return exports.write(export_format, rows, path, heading, progress)


def make(export_id: str) -> None:
    """Make the file of an export, unless somebody else is doing it or has done it."""
    if not _claim(export_id):
        return
    export = Export.objects.select_related("merchant", "requested_by").get(pk=export_id)
    try:
        _make(export)
    except (BadFilters, exports.TooManyRows) as error:
        _finish(export, Export.State.FAILED, error=str(error)[:_LONGEST_ERROR])
    except Exception:
        log.exception("export_failed", export=export_id)
        _finish(
            export,
            Export.State.FAILED,
            error="The file could not be made. Try again, or tell your administrator.",
        )


def progress_of(export: Export) -> tuple[int, int]:
    """How many rows are done of how many; zeros while nothing is known."""
    done, total = cache.get(_heartbeat_key(export.pk)) or (0, 0)
    return done, total


def waiting() -> Iterator[UUID]:
    """Exports whose bell was lost or whose worker died."""
    yield from Export.objects.filter(state=Export.State.WAITING).values_list("pk", flat=True)
    yield from (pk for pk in _running() if cache.get(_heartbeat_key(pk)) is None)


def expire() -> None:
    """Drop files and rows that are older than their lifetime."""
    for export in Export.objects.filter(created_at__lt=timezone.now() - Export.LIFETIME):
        if export.file_name:
            storages["exports"].delete(export.file_name)
        export.delete()


def _selected(merchant: Merchant, selection: Sequence[UUID]) -> tuple[QuerySet[Transaction], str]:
    number = len(selection)
    words = f"{number:,} selected transaction{'' if number == 1 else 's'}"
    return Transaction.objects.filter(merchant=merchant, pk__in=selection), words


def _filtered(filters: TransactionFilter) -> tuple[QuerySet[Transaction], str]:
    if not filters.is_valid():
        raise BadFilters(f"The filters make no sense: {filters.errors.as_text()}")
    return filters.found, filters.in_words()


def _running() -> Iterator[UUID]:
    yield from Export.objects.filter(state=Export.State.RUNNING).values_list("pk", flat=True)


def _claim(export_id: str) -> bool:
    # The heartbeat lives in the cache, since the export itself reads in a read-only transaction.
    if not cache.add(_heartbeat_key(export_id), (0, 0), _DEAD_AFTER_SECONDS):
        return False
    unfinished = Export.objects.filter(pk=export_id, state__in=[Export.State.WAITING, Export.State.RUNNING])
    return bool(unfinished.update(state=Export.State.RUNNING))


def _heartbeat_key(export_id: object) -> str:
    return f"export-progress:{export_id}"


def _make(export: Export) -> None:
    with TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / f"{export.pk}.{export.format}"
        written = write(
            export.merchant,
            export.query,
            export.format,
            path,
            str(export.requested_by),
            _say_progress(export),
            export.selection,
            masked=not export.personal,
        )
        with path.open("rb") as file:
            name = storages["exports"].save(path.name, File(file))
    _finish(
        export,
        Export.State.READY,
        file_name=name,
        rows_total=written.rows,
        as_of=written.as_of,
        sha256=written.sha256,
        size=written.size,
    )


def _say_progress(export: Export) -> exports.Progress:
    said = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAY_EVERY_SECONDS:
            said = time.monotonic()
            cache.set(_heartbeat_key(export.pk), (done, total), _DEAD_AFTER_SECONDS)

    return progress


def _finish(export: Export, state: Export.State, **values: object) -> None:
    Export.objects.filter(pk=export.pk, state=Export.State.RUNNING).update(
        state=state, finished_at=timezone.now(), **values
    )
