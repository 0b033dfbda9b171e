import re
import zipfile
from decimal import Decimal
from pathlib import PurePosixPath

import openpyxl
import pytest
from lxml import etree

from tests.transactions.export_rows import HEADING, everything, lookalikes, make_project, sale
from transactions.exports import Layout, write, xlsx_file

pytestmark = pytest.mark.django_db(transaction=True)

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


def summary(path, **values) -> list[tuple]:
    """The lines of sums, with what viewers that do not calculate show."""
    sheet = openpyxl.load_workbook(path, **values)["Summary"]
    lines = list(sheet.iter_rows(values_only=True))
    titles = next(number for number, line in enumerate(lines) if line[0] == "Charge currency")
    return lines[titles + 1 :]


def some_sales() -> None:
    project = make_project()
    for number, cents in enumerate(["0.10", "0.20", "0.70"]):
        sale(project, number, charge_amount=Decimal(cents))
    sale(project, 4, type="refund", status="refunded", charge_amount=Decimal("0.70"))
    sale(project, 5, charge_currency="JPY", charge_amount=Decimal(1200))
    sale(project, 6, charge_currency="BHD", charge_amount=Decimal("12.345"))
    sale(project, 7, charge_currency="", charge_amount=Decimal(0), status="created")


def test_sums_are_formulas_over_all_data_sheets_with_their_values(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_file, "ROWS_PER_SHEET", 4)
    some_sales()

    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    shown, formulas = summary(tmp_path / "a.xlsx", data_only=True), summary(tmp_path / "a.xlsx")
    assert [line[2:4] for line in shown] == [line[4:6] for line in shown]
    assert {line[6] for line in shown} == {"agrees"}
    assert shown[4][:4] == ("EUR", "Processed", 3, 1)
    assert re.fullmatch(
        r"=COUNTIFS\('Transactions'!\$Q\$2:\$Q\$5,\$A(\d+),'Transactions'!\$D\$2:\$D\$5,\$B\1\)"
        r"\+COUNTIFS\('Transactions 2'!\$Q\$2:\$Q\$4,\$A\1,'Transactions 2'!\$D\$2:\$D\$4,\$B\1\)",
        formulas[4][4],
    )
    assert formulas[4][5].startswith("=ROUND(SUMIFS('Transactions'!$P$2:$P$5,")


def test_an_amount_finer_than_its_currency_is_added_up_as_it_is_shown(tmp_path):
    sale(make_project(), charge_amount=Decimal("10.1234"))

    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    for line in summary(tmp_path / "a.xlsx", data_only=True):
        assert (line[3], line[5]) == (10.12, 10.12)


def test_a_status_that_reads_as_a_wildcard_has_no_formula(tmp_path):
    project = make_project()
    sale(project, 0, status="*")
    sale(project, 1, status="processed")

    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    star, processed, _ = summary(tmp_path / "a.xlsx")
    assert (star[1], star[5]) == ("*", None)
    assert processed[5].startswith("=ROUND")


def test_amounts_that_are_texts_leave_no_formula_that_would_miss_them(tmp_path):
    project = make_project()
    sale(project, 0, charge_amount=Decimal("99999999999999.99"))
    sale(project, 1, charge_amount=Decimal("99999999999998.99"), type="refund")

    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    (only, total) = summary(tmp_path / "a.xlsx")
    assert only[3:] == (1, None, None, None)
    assert total[3] == 1


def test_sums_are_stated_where_the_columns_for_formulas_are_left_out(tmp_path):
    some_sales()

    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING, layout=Layout(("transaction", "charge")))

    assert {line[4:] for line in summary(tmp_path / "a.xlsx")} == {(None, None, None)}


def test_the_same_rows_of_the_same_moment_make_the_same_bytes(tmp_path):
    some_sales()
    first = write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    again = write("xlsx", everything(), tmp_path / "b.xlsx", HEADING, as_of=first.as_of)

    assert again.sha256 == first.sha256


def test_every_part_is_strict_xml_with_a_type_and_every_relation_has_its_part(tmp_path):
    project = make_project()
    for number, values in enumerate(lookalikes()):
        sale(project, number, **values)
    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        names = set(archive.namelist())
        parts = {name: etree.fromstring(archive.read(name)) for name in names}
    types = parts["[Content_Types].xml"]
    typed = {each.get("PartName", "").lstrip("/") for each in types} | {
        name for name in names for each in types if name.endswith(f".{each.get('Extension')}")
    }
    assert names - {"[Content_Types].xml"} <= typed
    assert {name for name in typed if "." in name} <= names
    for name in names:
        if name.endswith(".rels"):
            folder = PurePosixPath(name).parent.parent
            for each in parts[name].iter(_RELATIONSHIPS):
                target = each.get("Target")
                assert (target.lstrip("/") if target.startswith("/") else str(folder / target)) in names
