import contextlib
import csv
import datetime as dt
import re
import zipfile
from dataclasses import replace
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.transactions.export_rows import (
    HEADING,
    HOSTILE,
    decoded,
    everything,
    lookalikes,
    make_project,
    sale,
    unsaved,
)
from transactions.exports import Heading, write, xlsx_file
from transactions.exports.report import without_controls
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
_MILLENNIUM = dt.datetime(2000, 1, 1)  # noqa: DTZ001 - Hypothesis adds the zone


def workbook(path, heading=HEADING):
    write("xlsx", everything(), path / "a.xlsx", heading)
    return openpyxl.load_workbook(path / "a.xlsx")


def csv_cells(path) -> list[list[str]]:
    write("csv", everything(), path / "a.csv", HEADING)
    with (path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def assert_same(cell, text: str) -> None:
    value = cell.value
    if isinstance(value, dt.datetime):
        assert f"{value:%Y-%m-%d %H:%M:%S}" == text
    elif cell.data_type == "n" and value is not None:
        assert Decimal(repr(value)) == Decimal(text)
    else:
        plain = decoded(value or "")
        assert without_controls(text) in (plain, f"'{plain}")
        assert cell.data_type in "sn"  # n: openpyxl's word for empty


def assert_same_as_csv(path, sheet) -> None:
    lines = csv_cells(path)
    assert sheet.max_row == len(lines)
    for cells, line in zip(sheet.iter_rows(), lines, strict=True):
        for cell, text in zip(cells, line, strict=True):
            assert_same(cell, text)


def test_every_cell_is_that_of_the_csv(tmp_path):
    project = make_project("Sky & <forge>")
    for number, (currency, amount) in enumerate(
        [("EUR", "0.10"), ("JPY", "1200"), ("BHD", "12.345"), ("CLF", "1.2345"), ("USD", "-3"), ("", "0")]
    ):
        sale(
            project, number, charge_currency=currency, charge_amount=Decimal(amount), payout_currency=currency
        )
    sale(project, 9, type="refund", status="refunded")
    for number, values in enumerate(lookalikes(), 10):
        sale(project, number, **values)

    assert_same_as_csv(tmp_path, workbook(tmp_path)["Transactions"])


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=set(Phase) - {Phase.explain},
)
@given(
    texts=st.lists(_TEXT | st.sampled_from(HOSTILE), min_size=1, max_size=25),
    amount=st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=4),
    currency=st.sampled_from(["EUR", "JPY", "BHD", "CLF"]),
    at=st.datetimes(_MILLENNIUM, _MILLENNIUM.replace(year=2099), timezones=st.just(dt.UTC)),
)
def test_any_value_is_that_of_the_csv(tmp_path, texts, amount, currency, at):
    Transaction.objects.all().delete()
    project = make_project()
    values = {"charge_amount": amount, "charge_currency": currency, "created_at": at}
    Transaction.objects.bulk_create([unsaved(project, customer_name=text, **values) for text in texts])

    assert_same_as_csv(tmp_path, workbook(tmp_path)["Transactions"])


def test_cells_are_typed(tmp_path):
    project = make_project()
    sale(project, 1, charge_currency="JPY", charge_amount=Decimal(1200), customer_id="00042")
    sale(project, 0, charge_currency="BHD", charge_amount=Decimal("12.345"))

    sheet = workbook(tmp_path)["Transactions"]

    cells = {cell.value: sheet.cell(2, cell.column) for cell in sheet[1]}
    assert cells["Date and time (UTC)"].value.isoformat() == "2026-10-24T23:00:00"
    assert cells["Date and time (UTC)"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert (cells["Charge amount"].value, cells["Charge amount"].number_format) == (1200, "#,##0")
    assert (cells["Customer ID"].value, cells["Customer ID"].number_format) == ("00042", "@")
    below = sheet.cell(3, cells["Charge amount"].column)
    assert (below.value, below.number_format) == (12.345, "#,##0.000")


def test_an_amount_with_more_digits_than_a_spreadsheet_has_stays_exact_as_text(tmp_path):
    sale(make_project(), charge_amount=Decimal("999999999999999.99"))

    sheet = workbook(tmp_path)["Transactions"]

    assert "999999999999999.99" in [cell.value for cell in sheet[2]]


def test_header_is_frozen_filtered_and_covers_all_rows(tmp_path):
    project = make_project()
    for number in range(7):
        sale(project, number)

    sheet = workbook(tmp_path)["Transactions"]

    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:AD8")
    assert sheet.column_dimensions["F"].width == 36


def test_titles_with_a_zone_have_room(tmp_path):
    sale(make_project())
    zone = "America/Argentina/Buenos_Aires"

    sheet = workbook(tmp_path, replace(HEADING, time_zone=zone))["Transactions"]

    assert sheet["A1"].value == f"Date and time ({zone})"
    assert sheet.column_dimensions["A"].width > len(f"({zone})")
    assert sheet.row_dimensions[1].height == 32  # of two lines


def test_readers_that_believe_the_stated_extent_see_every_row(tmp_path):
    project = make_project()
    for number in range(7):
        sale(project, number)
    workbook(tmp_path)

    with contextlib.closing(openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)) as book:
        assert book["Transactions"].calculate_dimension() == "A1:AD8"
        assert len(list(book["Transactions"].iter_rows())) == 8


def test_summary_says_what_the_file_is(tmp_path):
    project = make_project()
    for number, cents in enumerate(["0.10", "0.20", "0.70"]):
        sale(project, number, charge_amount=Decimal(cents))
    sale(project, 4, type="refund", status="refunded", charge_amount=Decimal("0.70"))
    sale(project, 5, charge_currency="JPY", charge_amount=Decimal(1200))
    sale(project, 6, charge_currency="BHD", charge_amount=Decimal("12.345"))

    lines = [line for line in workbook(tmp_path)["Summary"].iter_rows(values_only=True) if any(line)]

    assert [line[:2] for line in lines[:3]] == [
        ("Merchant", "Café Nórd GmbH"),
        ("Filter", HEADING.filter_in_words),
        ("Time zone", "Europe/Berlin"),
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d [\d:]{8} CES?T \(\d{4}-\d\d-\d\d [\d:]{8} UTC\)", lines[3][1])
    assert lines[4][:2] == ("Author", "Ann Accountant")
    assert lines[5][0] == "Control code"
    assert lines[6][:2] == ("Rows", 6)
    assert lines[7][:4] == ("Charge currency", "Status", "Rows", "Charge amount")
    assert [line[:4] for line in lines[8:]] == [
        ("BHD", "Processed", 1, 12.345),
        ("BHD", "All statuses", 1, 12.345),
        ("EUR", "Processed", 3, 1),
        ("EUR", "Refunded", 1, -0.7),
        ("EUR", "All statuses", 4, 0.3),
        ("JPY", "Processed", 1, 1200),
        ("JPY", "All statuses", 1, 1200),
    ]


def test_words_of_the_heading_are_no_formulas(tmp_path):
    heading = Heading("=1+1", "UTC", "Text: =HYPERLINK(1)\x07", "@me")

    summary = workbook(tmp_path, heading)["Summary"]

    assert [summary.cell(row, 2).data_type for row in range(1, 6)] == ["s"] * 5
    assert summary["B2"].value == "Text: =HYPERLINK(1)"


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_file, "ROWS_PER_SHEET", 3)
    project = make_project()
    for number in range(8):
        sale(project, number)

    book = workbook(tmp_path)

    assert book.sheetnames == ["Transactions", "Transactions 2", "Transactions 3", "Summary"]
    assert [sheet.max_row for sheet in book.worksheets[:3]] == [4, 4, 3]
    ids = [sheet.cell(row, 9).value for sheet in book.worksheets[:3] for row in range(2, sheet.max_row + 1)]
    assert ids == [f"tx-{number:05}" for number in reversed(range(8))]
    assert {sheet["A1"].value for sheet in book.worksheets[:3]} == {"Date and time (Europe/Berlin)"}


def test_the_archive_is_whole_and_its_data_hold_no_formula(tmp_path):
    sale(make_project(), product="=1+1")

    workbook(tmp_path)

    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert archive.testzip() is None
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_spaces_around_a_text_are_marked_as_meant(tmp_path):
    sale(make_project(), product=" x\n", customer_name="x y")

    workbook(tmp_path)

    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b'<t xml:space="preserve"> x&#10;</t>' in sheet
    assert b"<t>x y</t>" in sheet
