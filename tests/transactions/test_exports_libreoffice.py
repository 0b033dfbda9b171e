"""Exports as a spreadsheet opens them: the same cells, no formula of a stranger, sums that come out."""

import csv
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from tests.transactions.export_rows import HEADING, decoded, everything, lookalikes, make_project, sale
from tests.transactions.test_exports_xlsx_summary import some_sales, summary
from transactions.exports import write, xlsx_file

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice (soffice) is not installed"),
]

# Left to itself it believes the values beside the formulas.
_ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop>
</item>
</oor:items>
"""
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*(E[0-9]+)?|[0-9]{4}-.*|")


@pytest.fixture
def hostile() -> None:
    """Ordinary rows, and those that strangers wrote."""
    some_sales()
    project = make_project("Sky & <forge>")
    for number, values in enumerate(lookalikes(), 10):
        sale(project, number, **values)


def opened(path: Path, *more: str) -> Path:
    """The file as LibreOffice writes it back after opening it, as a workbook."""
    folder = path.parent / "opened"
    (folder / "user").mkdir(parents=True)
    (folder / "user" / "registrymodifications.xcu").write_text(_ALWAYS_RECALCULATE)
    profile = f"-env:UserInstallation={folder.as_uri()}"
    command = ["soffice", profile, "--headless", *more, "--convert-to", "xlsx", "--outdir", str(folder)]
    subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)
    return folder / f"{path.stem}.xlsx"


def test_a_workbook_has_the_same_sums_and_cells(tmp_path, monkeypatch, hostile):
    monkeypatch.setattr(xlsx_file, "ROWS_PER_SHEET", 20)
    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    again = opened(tmp_path / "a.xlsx")

    lines = summary(again, data_only=True)
    assert lines == summary(tmp_path / "a.xlsx", data_only=True)
    assert {line[6] for line in lines} == {"agrees"}
    ours, theirs = openpyxl.load_workbook(tmp_path / "a.xlsx"), openpyxl.load_workbook(again)
    for sheet, same in zip(ours.worksheets[:-1], theirs.worksheets[:-1], strict=True):
        # LibreOffice reads the codes in our texts, and writes none of its own for these.
        assert [decoded(cell) if isinstance(cell, str) else cell for cell in _cells(sheet)] == _cells(same)


def test_a_csv_has_the_same_cells_and_no_formula(tmp_path, hostile):
    write("csv", everything(), tmp_path / "a.csv", HEADING)

    # A comma, a quotation mark, UTF-8; and it may take for a formula what looks like one.
    sheet = openpyxl.load_workbook(opened(tmp_path / "a.csv", "--infilter=CSV:44,34,76")).active

    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        ours = list(csv.reader(file, strict=True))
    assert (sheet.max_row, sheet.max_column) == (len(ours), len(ours[0]))
    charge = ours[0].index("Charge amount")
    for row, line in zip(sheet.iter_rows(), ours, strict=True):
        for cell, text in zip(row, line, strict=True):
            assert cell.data_type != "f"
            if not _NUMBER.fullmatch(text):  # of a number it makes what it likes
                assert _plain(text) in (_plain(cell.value), _plain(decoded(cell.value)))
        if line is not ours[0]:
            assert Decimal(str(row[charge].value)) == Decimal(line[charge])


def _plain(text: str) -> str:
    """With one sort of line ends."""
    return re.sub(r"[\r\n]+", "\n", text)


def _cells(sheet) -> list[object]:
    """All values, with one sort of line ends."""
    values = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    return [_plain(value) if isinstance(value, str) else value for value in values]
