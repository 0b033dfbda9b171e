"""Jobs that make export files: claim the row, write the list, keep the file for a while."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog
from django.core.files import File
from django.core.files.storage import storages
from django.db.models import F, QuerySet
from django.http import QueryDict
from django.utils import timezone

from merchant import replica
from merchant.models import Merchant
from transactions import exports, paging
from transactions.exporting import asking, dropping, progress
from transactions.exporting.dropping import expire
from transactions.filters import TransactionFilter
from transactions.models import Export, Transaction

__all__ = ["BadFilters", "expire", "make", "progress_of", "seconds_left", "waiting", "write"]

log = structlog.get_logger()
progress_of, seconds_left = progress.of, progress.seconds_left

# Of an export that kills its worker each time, no more is tried.
_MOST_ATTEMPTS = 3
_LONGEST_ERROR = 500


class BadFilters(ValueError):
    """The query of an export makes no sense, or none any more."""


class Changed(Exception):
    """The rows are not those any more of which the file was made."""


def write(
    merchant: Merchant,
    query: str,
    export_format: str,
    path: Path,
    author: str,
    tell: exports.Progress,
    selection: Sequence[UUID] = (),
    *,
    masked: bool = False,
    layout: exports.Layout = exports.Layout(),  # noqa: B008 - frozen
    asked: str = "",
    asked_at: datetime | None = None,
    as_of: datetime | None = None,
) -> exports.Written:
    """Write the rows of the list with this query, in its order, to `path`; of a selection exactly its rows.
    Masked, it does not say who the customers are, and finds nobody by an address.

    A period such as "today" means what it meant at `asked_at`. For `as_of` see exports.write.
    Raises BadFilters for a query that makes no sense and exports.TooManyRows for an endless PDF.
    """
    parameters = QueryDict(query)
    if selection:
        found, words = _selected(merchant, selection)
    else:
        found, words = _filtered(TransactionFilter(merchant, parameters, personal=not masked, now=asked_at))
    rows = paging.ordered(found, parameters.get("sort", paging.DEFAULT_ORDER))
    heading = exports.Heading(
        merchant=merchant.name,
        time_zone=merchant.time_zone,
        filter_in_words=words,
        author=author,
        masked=masked,
        asked=asked or f"{merchant.paysuper_id}?{query}",
    )

    def written() -> exports.Written:
        # Anew, since where a queryset reads is decided once.
        return exports.write(export_format, rows.all(), path, heading, tell, layout, as_of)

    # A file that is made again is of an instant at which the replica may not have been.
    return written() if as_of else replica.preferably(written)


def make(export_id: str) -> None:
    """Make the file of an export, unless somebody else is doing it or has done it."""
    if not _claim(export_id):
        return
    export = Export.objects.select_related("merchant", "requested_by").get(pk=export_id)
    try:
        _make(export)
    except progress.TakenAway:
        log.info("export_stopped", export=export_id)
    except Changed as error:
        _finish(export, Export.State.EXPIRED, error=str(error))
    except exports.TooManyRows as error:
        _finish(export, Export.State.FAILED, error=str(error), rows_total=error.rows)
    except BadFilters as error:
        _finish(export, Export.State.FAILED, error=str(error)[:_LONGEST_ERROR])
    except Exception:
        log.exception("export_failed", export=export_id)
        _finish(
            export,
            Export.State.FAILED,
            error="The file could not be made. Try again, or tell your administrator.",
        )
    finally:
        if Export.objects.filter(pk=export.pk, attempts=export.attempts).exists():
            progress.forget(export.pk)


def waiting() -> Iterator[UUID]:
    """Exports whose bell was lost or whose worker died."""
    yield from Export.objects.filter(state=Export.State.WAITING).values_list("pk", flat=True)
    yield from (pk for pk in _running() if not progress.is_alive(pk))


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
    if not progress.begin(export_id):
        return False
    mine = Export.objects.filter(pk=export_id)
    hopeless = mine.filter(state=Export.State.RUNNING, attempts__gte=_MOST_ATTEMPTS)
    stopped = (
        f"The worker was stopped in the middle {_MOST_ATTEMPTS} times. Try again, or tell your administrator."
    )
    hopeless.update(state=Export.State.FAILED, error=stopped, finished_at=timezone.now())
    unfinished = mine.filter(state__in=[Export.State.WAITING, Export.State.RUNNING])
    if unfinished.update(state=Export.State.RUNNING, attempts=F("attempts") + 1):
        return True
    progress.forget(export_id)
    return False


def _make(export: Export) -> None:
    with TemporaryDirectory(prefix=f"{dropping.FOLDER}{export.pk}-") as folder:
        path = Path(folder) / f"{export.pk}.{export.format}"
        written = write(
            export.merchant,
            export.query,
            export.format,
            path,
            str(export.requested_by),
            progress.teller(export),
            export.selection,
            masked=not export.personal,
            layout=asking.layout_of(export),
            asked=asking.exactly(export),
            asked_at=export.seen_from or export.created_at,
            as_of=export.as_of if export.is_told else None,
        )
        _must_be_the_same(export, written)
        with path.open("rb") as file:
            # A name of its own: a worker that was taken over must not put its file in the place of another.
            wanted = f"{export.pk}_{secrets.token_hex(8)}.{export.format}"
            name = storages["exports"].save(wanted, File(file))
    if not _finish(export, Export.State.READY, file_name=name, **_told(written)):
        storages["exports"].delete(name)


def _must_be_the_same(export: Export, written: exports.Written) -> None:
    if export.is_told and written.sha256 != export.sha256:
        raise Changed(
            "The same file cannot be made any more: the transactions, or what the file says of them, "
            "have changed since. Export the list anew."
        )


def _told(written: exports.Written) -> dict[str, object]:
    """What the row keeps of a file."""
    return {
        "rows_total": written.rows,
        "as_of": written.as_of,
        "sha256": written.sha256,
        "size": written.size,
        "control": written.control,
        "filter_in_words": written.filter_in_words,
        "sums": [[each.currency, each.status, each.count, f"{each.amount:f}"] for each in written.sums],
    }


def _finish(export: Export, state: Export.State, **values: object) -> bool:
    """Whether the export was still this worker's."""
    mine = Export.objects.filter(pk=export.pk, state=Export.State.RUNNING, attempts=export.attempts)
    return bool(mine.update(state=state, finished_at=timezone.now(), **values))
