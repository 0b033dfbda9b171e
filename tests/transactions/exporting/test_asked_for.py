"""An export is asked for on a page, made by a worker and fetched by a member."""

import csv
import datetime as dt
import hashlib
import io
import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from merchant.models import AuditEvent, Merchant
from tests.conftest import LANTERN, Person
from tests.transactions import rows
from tests.transactions.export_requests import ask, fetched, made, rung
from transactions import tasks
from transactions.models import Export, Transaction

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_period_means_what_it_meant_when_the_export_was_asked_for(ann: Person, filled: Merchant) -> None:
    export = ask(ann, "period=today")
    then = rows.NOW
    Export.objects.filter(pk=export.pk).update(created_at=then)
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    day = then.astimezone(rows.BERLIN).date()
    expected = [row for row in rows_of(filled) if row.created_at.astimezone(rows.BERLIN).date() == day]
    assert export.rows_total == len(expected) > 0
    assert export.filter_in_words == f"Period: Today · Days: {day} to {day}"


def rows_of(merchant: Merchant) -> list[Transaction]:
    return list(Transaction.objects.filter(merchant=merchant))
