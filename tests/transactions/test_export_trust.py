"""An export says what it is, can be stopped and made again, and a file of it can be told from others."""

import csv
import io
import os
import time
import uuid
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, person
from tests.transactions import rows
from tests.transactions.test_export_jobs import ask, fetched, made
from transactions import exporting, recipes, tasks
from transactions.exporting import dropping, progress, proving
from transactions.exports import control
from transactions.models import Export, Transaction

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


def posted(person: Person, export: Export, what: str):
    return person.browser.post(f"/exports/{export.pk}/{what}/", follow=True)


def verified(person: Person, content: bytes, name: str = "list.csv") -> str:
    answer = person.browser.post("/exports/verify/", {"file": SimpleUploadedFile(name, content)}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def drop_file(export: Export) -> None:
    Export.objects.filter(pk=export.pk).update(
        finished_at=timezone.now() - Export.LIFETIME - timezone.timedelta(minutes=1)
    )
    exporting.expire()
    export.refresh_from_db()
    assert (export.state, export.file_name) == ("expired", "")


def test_the_page_says_filter_sums_and_control_code(ann: Person, filled: Merchant) -> None:
    export = made(ann, "status=processed&currency=EUR")
    page = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert export.control
    for each in (export.control, export.sha256, "Status: Processed · Currency: EUR"):
        assert each in page
    found = Transaction.objects.filter(merchant=filled, status="processed", charge_currency="EUR")
    expected = sum(row.charge_amount * (-1 if row.type == "refund" else 1) for row in found)
    [[currency, status, count, amount]] = export.sums
    assert (currency, status, count) == ("EUR", "Processed", found.count())
    assert round(expected, 2) == round(type(expected)(amount), 2)


def test_a_text_beside_a_csv_says_the_same(ann: Person, filled: Merchant) -> None:
    export = made(ann, "period=last_month")
    answer = ann.browser.get(f"/exports/{export.pk}/notes/")
    assert answer["Content-Disposition"] == f'attachment; filename="{export.download_name}.txt"'
    text = answer.content.decode()
    for each in (export.control, export.sha256, f"Rows:          {export.rows_total}", "Days: "):
        assert each in text
    assert ann.browser.get(f"/exports/{ask(ann).pk}/notes/").status_code == 404


@pytest.mark.parametrize("written", ["{}", " {} "])
def test_an_export_is_found_by_its_control_code(
    ann: Person, cleo: Person, filled: Merchant, written: str
) -> None:
    export, other = made(ann), made(ann, "status=processed")
    page = ann.browser.get(
        "/exports/", {"code": written.format(export.control.lower().replace("-", " "))}
    ).content.decode()
    assert f"/exports/{export.pk}/" in page
    assert f"/exports/{other.pk}/" not in page
    assert (
        "No export with this control code"
        in cleo.browser.get(f"/exports/?code={export.control}").content.decode()
    )


@pytest.mark.parametrize("code", ["x", "0000-0000-0000", "\0", "'" * 2000, "ЖЖЖЖ-ЖЖЖЖ-ЖЖЖЖ"])
def test_an_unknown_code_is_an_answer(ann: Person, filled: Merchant, code: str) -> None:
    made(ann)
    assert "No export with this control code" in ann.browser.get("/exports/", {"code": code}).content.decode()


def test_a_code_is_read_as_people_write_it() -> None:
    assert control.read("7kq2 9mpx-o4tl") == "7KQ2-9MPX-04T1"
    assert control.read("7KQ2-9MPX-04U1") == control.read("7KQ2") == ""


def test_two_exports_of_an_unchanged_mirror_are_the_same_csv(ann: Person, filled: Merchant) -> None:
    one, other = made(ann), made(ann)
    assert one.sha256 == other.sha256
    assert one.as_of != other.as_of
    assert one.control != other.control


def test_a_file_is_told_to_be_ours(ann: Person, cleo: Person, filled: Merchant) -> None:
    export = made(ann, "status=processed")
    body = fetched(ann, export)
    page = verified(ann, body)
    assert "The file is genuine" in page
    assert export.control in page
    for other in (body + b" ", body[:-1], b"x"):
        assert "not one of your exports" in verified(ann, other)
    assert "not one of your exports" in verified(cleo, body)
    drop_file(export)
    assert "The file is genuine" in verified(ann, body)


def test_nothing_to_verify_is_an_answer(ann: Person, filled: Merchant) -> None:
    for data in ({}, {"file": "text"}, {"file": SimpleUploadedFile("empty.csv", b"")}):
        page = ann.browser.post("/exports/verify/", data, follow=True).content.decode()
        assert "Choose the file" in page


def test_too_large_a_file_is_refused_in_words(ann: Person, filled: Merchant, monkeypatch) -> None:
    monkeypatch.setattr(proving, "LARGEST", 1000)
    assert "can be verified here" in verified(ann, b"x" * 200_000)
    assert "not one of your exports" in verified(ann, b"x" * 1000)


def test_a_file_from_another_site_is_not_taken(ann: Person, filled: Merchant) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = ann.browser.cookies
    answer = strict.post("/exports/verify/", {"file": SimpleUploadedFile("a.csv", b"x")})
    assert answer.status_code == 403


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


def test_accounting_cannot_have_a_file_made_again_that_says_more_than_it_sees(
    ann: Person, lantern: Merchant, filled: Merchant
) -> None:
    export = made(ann)
    drop_file(export)
    assert posted(person(lantern, "accountant", "accounting"), export, "again").status_code == 403


def test_an_export_that_kills_its_worker_fails_after_three_attempts(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    for _ in range(3):
        assert exporting._claim(str(export.pk))
        cache.clear()  # the worker is dead
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    assert export.state == "failed"
    assert "stopped in the middle" in export.error


def test_the_page_estimates_the_time_left(ann: Person, filled: Merchant) -> None:
    export = ask(ann)
    exporting._claim(str(export.pk))
    cache.set(progress._key(export.pk), (250, 1000, 10.0))
    assert exporting.seconds_left(export) == 30
    assert "About 30 seconds left" in ann.browser.get(f"/exports/{export.pk}/").content.decode()


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


def header(body: bytes, delimiter: str = ",") -> list[str]:
    return next(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=delimiter))


def made_of(person: Person, **asked: str) -> Export:
    answer = person.browser.post("/exports/", {"query": "", "format": "csv"} | asked)
    export = Export.objects.get(pk=answer["Location"].strip("/").split("/")[-1])
    tasks.make_export(str(export.pk))
    export.refresh_from_db()
    return export


def test_the_page_s_columns_are_exported_in_their_order_with_both_clocks(
    ann: Person, filled: Merchant
) -> None:
    body = fetched(ann, made_of(ann, columns="page"))
    assert header(body) == [
        "Status", "Project", "Product", "Date and time (Europe/Berlin)", "Date and time (UTC)", "Country",
        "Payment method", "Transaction ID", "Charge amount", "Charge currency",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dialect", "delimiter", "amount"),
    [
        ("comma-point", ",", "12.345"),
        ("semicolon-comma", ";", "12,345"),
        ("comma-comma", ",", "12,345"),
        ("tab-comma", "\t", "12,345"),
        ("tab-point", "\t", "12.345"),
        ("semicolon-point", ";", "12.345"),
    ],
)
def test_a_dialect_is_written_and_remembered(
    ann: Person, filled: Merchant, dialect: str, delimiter: str, amount: str
) -> None:
    Transaction.objects.filter(merchant=filled).update(
        charge_amount="12.345", charge_currency="BHD", type="refund", product='a;b,"c"\td\r\ne'
    )
    body = fetched(ann, made_of(ann, columns="all", dialect=dialect)).decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True):
        assert (row["Charge amount"], row["Product"]) == (f"-{amount}", 'a;b,"c"\td\r\ne')
    ann.membership.refresh_from_db()
    assert recipes.last_choice(ann.membership.list_preferences) == recipes.Choice("all", dialect)
    assert f'<option value="{dialect}" selected>' in ann.browser.get("/transactions/").content.decode()


def test_a_recipe_is_kept_offered_used_and_deleted(ann: Person, ben: Person, filled: Merchant) -> None:
    recipe = {"name": "Month <end>", "format": "csv", "dialect": "semicolon-comma"}
    recipe |= {"place-net": "1", "place-transaction": "3", "place-utc": "2"}
    assert "is saved" in ann.browser.post("/exports/recipes/", recipe, follow=True).content.decode()
    assert "Month &lt;end&gt;" in ann.browser.get("/transactions/").content.decode()
    assert "Month" not in ben.browser.get("/transactions/").content.decode()
    body = fetched(ann, made_of(ann, recipe="Month <end>"))
    assert not body.startswith(b"\xef\xbb\xbf")
    assert header(body, ";") == ["Net", "Payout currency", "Date and time (UTC)", "Transaction ID"]
    assert 'value="1"' in ann.browser.get("/exports/recipes/", {"name": "Month <end>"}).content.decode()
    ann.browser.post("/exports/recipes/delete/", {"name": "Month <end>"})
    assert "Month" not in ann.browser.get("/transactions/").content.decode()
    answer = ann.browser.post("/exports/", {"query": "", "recipe": "Month <end>"}, follow=True)
    assert "not there any more" in answer.content.decode()


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"name": "x", "format": "csv"},
        {"name": "x", "format": "exe", "place-net": "1"},
        {"name": "x", "format": "csv", "place-net": "first"},
        {"name": "x", "format": "csv", "place-net": "-1"},
        {"name": "x", "format": "csv", "place-net": "²"},
        {"name": "x", "format": "csv", "place-net": "1", "dialect": "morse"},
        {"name": "\0", "format": "csv", "place-net": "1"},
        {"name": "x" * 61, "format": "csv", "place-net": "1"},
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_words(ann: Person, posted: dict[str, str]) -> None:
    page = ann.browser.post("/exports/recipes/", posted, follow=True)
    assert page.status_code == 200
    assert "notice error" in page.content.decode()
    ann.membership.refresh_from_db()
    assert "recipes" not in ann.membership.list_preferences


def test_the_button_says_how_many_rows_it_will_write(ann: Person, filled: Merchant, monkeypatch) -> None:
    page = ann.browser.get("/transactions/?size=100").content.decode()
    for name in ("CSV", "XLSX", "PDF"):
        assert f"Export 60 rows as {name}" in " ".join(page.split())
    counted = ann.browser.get("/transactions/figures/", headers={"HX-Request": "true"}).content.decode()
    assert 'id="export-buttons" hx-swap-oob="true"' in counted
    assert "Export 60 rows as XLSX" in " ".join(counted.split())
    monkeypatch.setattr("transactions.overview.COUNT_LIMIT", 50)
    many = ann.browser.get("/transactions/figures/", headers={"HX-Request": "true"}).content.decode()
    assert "Export over 50 rows as XLSX" in " ".join(many.split())
