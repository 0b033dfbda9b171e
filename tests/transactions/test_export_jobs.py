"""An export is asked for on a page, made by a worker, fetched by a member, and gone after its time."""

import csv
import datetime as dt
import hashlib
import io
import re
import uuid
from pathlib import Path

import pytest
import redis
from django.conf import settings as live
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant.models import AuditEvent, Merchant
from tests.conftest import LANTERN, SNOW, Person, person
from tests.transactions import rows
from transactions import exporting, tasks
from transactions.exporting import progress
from transactions.models import Export

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_request_is_a_waiting_row_a_bell_and_an_audit_line(ann: Person, filled: Merchant) -> None:
    export = ask(ann, "status=processed&cursor=last&sort=amount")
    assert (export.state, export.format, export.requested_by) == ("waiting", "csv", ann.membership.user)
    assert export.query == "status=processed&sort=amount"
    assert rung() == 1
    event = AuditEvent.objects.get(event="export.requested")
    assert (event.subject, event.user) == (str(export.pk), ann.membership.user)
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert "Waiting for its turn" in page
    assert f"/exports/{export.pk}/" in ann.browser.get("/exports/").content.decode()


def test_the_worker_makes_the_file_and_a_member_fetches_it(ann: Person, filled: Merchant) -> None:
    export = made(ann)
    body = fetched(ann, export)
    assert (export.state, export.rows_total, export.size) == ("ready", 60, len(body))
    assert export.sha256 == hashlib.sha256(body).hexdigest()
    assert export.finished_at
    assert abs(export.finished_at - export.as_of) < dt.timedelta(seconds=30)
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert f'href="/exports/{export.pk}/download/"' in page
    assert export.sha256 in page
    assert AuditEvent.objects.filter(event="export.downloaded", subject=str(export.pk)).count() == 1


@pytest.mark.parametrize(
    ("export_format", "start", "kind"),
    [
        ("csv", b"\xef\xbb\xbf", "text/csv"),
        ("xlsx", b"PK", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pdf", b"%PDF-", "application/pdf"),
    ],
)
def test_every_format_is_made_and_named(
    ann: Person, filled: Merchant, export_format: str, start: bytes, kind: str
) -> None:
    export = made(ann, "status=processed", export_format)
    assert (export.state, export.error) == ("ready", "")
    answer = ann.browser.get(f"/exports/{export.pk}/download/")
    assert b"".join(answer.streaming_content).startswith(start)
    assert answer["Content-Type"].startswith(kind)
    assert answer["Content-Disposition"] == f'attachment; filename="{export.download_name}"'
    assert answer["Content-Length"] == str(export.size)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sort=amount",
        "sort=-amount&status=processed&status=refunded",
        "sort=date&currency=JPY&amount_min=5",
        "q=p-3&sort=-date",
        "product=sword&sort=nonsense",
        "q=nobody@nowhere",
        "cursor=last&size=25&country=DE",
    ],
)
def test_the_rows_of_the_file_are_the_rows_of_the_list_in_its_order(
    ann: Person, filled: Merchant, query: str
) -> None:
    export = made(ann, query)
    table = csv.DictReader(io.StringIO(fetched(ann, export).decode("utf-8-sig")))
    listed, cursor = [], ""
    while True:
        address = f"/transactions/?{query.replace('cursor=last', '')}&size=25&cursor={cursor}".replace(
            "+", "%2B"
        )
        found = ann.browser.get(address).context["page"]
        listed += [str(row["uuid"]) for row in found.rows]
        if not (cursor := found.next.replace("+", "%2B")):
            break
    assert [row["Order ID"] for row in table] == listed
    assert export.rows_total == len(listed)


def test_a_relative_period_and_a_sort_survive_in_the_query(ann: Person, filled: Merchant) -> None:
    assert (
        ask(ann, "period=last_month&sort=amount&q=%3Cb%3E%26").query
        == "period=last_month&sort=amount&q=%3Cb%3E%26"
    )


def test_a_file_has_the_time_of_the_merchants_clock_in_its_name(lantern: Merchant) -> None:
    asked_at = dt.datetime(2026, 11, 23, 23, 40, tzinfo=dt.UTC)
    export = Export(merchant=lantern, format="xlsx", created_at=asked_at)
    assert export.download_name == "transactions-2026-11-24-0040.xlsx"


def test_another_member_of_the_merchant_may_fetch_it(ann: Person, ben: Person, filled: Merchant) -> None:
    assert fetched(ben, made(ann))


@pytest.mark.parametrize("export_format", ["csv", "xlsx", "pdf"])
def test_accounting_gets_files_that_do_not_say_who_the_customers_are(
    lantern: Merchant, filled: Merchant, export_format: str
) -> None:
    accountant = person(lantern, "accountant", "accounting")
    export = made(accountant, "", export_format)
    assert export.personal is False
    content = fetched(accountant, export)
    if export_format == "csv":
        lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert {line["E-mail"] for line in lines} == {"M…@Example.com", "r…@example.org", "", "л…@пример.рф"}
        assert {line["Customer name"] for line in lines} == {"<."}


def test_accounting_cannot_fetch_the_file_of_somebody_who_sees_more(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    accountant, export = person(lantern, "accountant", "accounting"), made(ann)
    assert accountant.browser.get(f"/exports/{export.pk}/download/").status_code == 403
    page = accountant.browser.get(f"/exports/{export.pk}/").content.decode()
    assert "which your role does not see" in page
    assert 'id="download"' not in page


def test_another_merchant_sees_nothing_of_it(ann: Person, cleo: Person, filled: Merchant) -> None:
    export = made(ann)
    for address in (f"/exports/{export.pk}/", f"/exports/{export.pk}/download/", f"/exports/{uuid.uuid4()}/"):
        assert cleo.browser.get(address).status_code == 404
    assert str(export.pk) not in cleo.browser.get("/exports/").content.decode()


def test_a_viewer_may_neither_ask_nor_fetch_nor_look(ann: Person, vera: Person, filled: Merchant) -> None:
    export = made(ann)
    assert vera.browser.post("/exports/", {"format": "csv", "query": ""}).status_code == 403
    for address in ("/exports/", f"/exports/{export.pk}/", f"/exports/{export.pk}/download/"):
        assert vera.browser.get(address).status_code == 403
    assert Export.objects.count() == 1
    assert 'action="/exports/"' not in vera.browser.get("/transactions/").content.decode()
    assert 'action="/exports/"' in ann.browser.get("/transactions/").content.decode()


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"format": "csv", "query": "status=unknown"},
        {"format": "csv", "query": "from=2026-02-02&to=2026-01-01"},
        {"format": "csv", "query": "q=\0"},
        {"format": "exe", "query": ""},
        {"format": "", "query": ""},
        {"query": ""},
        {"format": "CSV", "query": ""},
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_words(
    ann: Person, filled: Merchant, posted: dict[str, str]
) -> None:
    answer = ann.browser.post("/exports/", posted, follow=True)
    assert answer.status_code == 200
    assert "cannot be exported" in answer.content.decode()
    assert not Export.objects.exists()
    assert rung() == 0


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


def test_a_finished_export_is_not_made_again(ann: Person, filled: Merchant, folder: Path) -> None:
    export = made(ann)
    cache.clear()
    tasks.make_export(str(export.pk))
    tasks.make_export(str(uuid.uuid4()))
    assert [path.name for path in folder.iterdir()] == [export.file_name]
    export.refresh_from_db()
    assert export.state == "ready"


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


def test_the_command_writes_the_same_file(
    ann: Person, filled: Merchant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.csv"
    call_command(
        "export_transactions",
        merchant_id=LANTERN,
        format="csv",
        query="status=processed&sort=amount",
        output=target,
    )
    assert target.read_bytes() == fetched(ann, made(ann, "status=processed&sort=amount"))
    said = capsys.readouterr().out
    assert hashlib.sha256(target.read_bytes()).hexdigest() in said
    assert re.search(r"Control code [0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\n", said)


@pytest.mark.parametrize(
    "changes",
    [
        {"query": "status=unknown"},
        {"query": "from=x"},
        {"output": "/nonexistent/folder/file.csv"},
        {"merchant_id": "f" * 24},
        {"merchant_id": "x"},
        {"format": "exe"},
    ],
)
def test_the_command_refuses_in_words(filled: Merchant, tmp_path: Path, changes: dict[str, str]) -> None:
    options = {
        "merchant_id": LANTERN,
        "format": "csv",
        "query": "",
        "output": str(tmp_path / "out.csv"),
    } | changes
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    with pytest.raises(CommandError) as caught:
        call_command("export_transactions", *arguments)
    assert str(caught.value)
    assert not list(tmp_path.iterdir())


def test_who_does_not_see_addresses_exports_nobody_by_one(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    abe = person(lantern, "abe", "accounting")
    assert made(ann, "q=mara").rows_total > 0
    assert made(abe, "q=mara").rows_total == 0
    assert made(abe, "q=p-3").rows_total == made(ann, "q=p-3").rows_total > 0
