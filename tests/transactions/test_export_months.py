"""Lists that are too long for one PDF: the ways out are offered, and PDFs by month hold every row."""

import datetime as dt
import hashlib
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from pypdf import PdfReader

from merchant.models import Merchant
from tests.conftest import LANTERN, Person
from tests.transactions import rows
from tests.transactions.export_rows import HEADING, everything, make_project, sale
from tests.transactions.schedules import folder
from transactions import tasks
from transactions.exports import TooManyRows, write
from transactions.models import Export

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
# In Berlin the month begins an hour before, in summer two.
MONTHS = {
    "2026-02": [dt.datetime(2026, 2, 28, 22, 59, tzinfo=dt.UTC)],
    "2026-03": [
        dt.datetime(2026, 2, 28, 23, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 31, 21, 59, tzinfo=dt.UTC),
    ],
    "2026-05": [dt.datetime(2026, 4, 30, 22, 0, tzinfo=dt.UTC)],
}


@pytest.fixture
def sales() -> None:
    """Payments around the ends of months, and a month without any."""
    project = make_project()
    for moments in MONTHS.values():
        for number, moment in enumerate(moments):
            sale(
                project,
                number,
                created_at=moment,
                transaction_id=f"tx-{moment:%m%d%H%M}",
                charge_amount=Decimal("0.005"),
            )


def read(path: Path) -> dict[str, list[str]]:
    """The transactions in each PDF, and the lines of the list of them."""
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        found = {}
        for name in archive.namelist():
            with archive.open(name) as file:
                if name.endswith(".pdf"):
                    text = "\n".join(page.extract_text() for page in PdfReader(file).pages[1:])
                    found[name] = re.findall(r"tx-\d+", text)
                else:
                    found[name] = file.read().decode().splitlines()
        return found


def test_every_row_is_in_the_pdf_of_its_month_in_the_order_of_the_list(tmp_path, sales):
    steps = []
    written = write("zip", everything(), tmp_path / "a.zip", HEADING, lambda *step: steps.append(step))

    found = read(tmp_path / "a.zip")
    contents = found.pop("contents.txt")
    assert found == {
        f"transactions-{month}.pdf": [f"tx-{moment:%m%d%H%M}" for moment in reversed(moments)]
        for month, moments in MONTHS.items()
    }
    lengths = [line.removeprefix("transactions-") for line in contents[-3:]]
    assert lengths == ["2026-02.pdf: 1 row", "2026-03.pdf: 2 rows", "2026-05.pdf: 1 row"]
    assert f"Control code: {written.control}" in contents
    assert written.rows == 4
    assert steps == sorted(steps)
    assert steps[-1] == (4, 4)


def test_each_month_says_its_own_sums_and_the_code_of_all(tmp_path, sales):
    written = write("zip", everything(), tmp_path / "a.zip", HEADING)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("transactions-2026-03.pdf") as file:
        summary = PdfReader(file).pages[0].extract_text()
    assert "Month: March 2026" in summary
    assert "€0.02" in summary
    assert written.control in summary


def test_the_same_moment_makes_the_same_bytes(tmp_path):
    sale(make_project())
    one = write("zip", everything(), tmp_path / "a.zip", HEADING)
    two = write("zip", everything(), tmp_path / "b.zip", HEADING, as_of=one.as_of)
    assert one.sha256 == two.sha256 == hashlib.sha256((tmp_path / "b.zip").read_bytes()).hexdigest()


def test_an_empty_list_is_one_pdf(tmp_path):
    make_project()
    write("zip", everything(), tmp_path / "a.zip", HEADING)
    assert list(read(tmp_path / "a.zip")) == ["transactions.pdf", "contents.txt"]


def test_a_month_that_is_too_long_alone_is_refused_and_not_cut(tmp_path, sales, settings):
    settings.EXPORT_PDF_CEILING = 1
    with pytest.raises(
        TooManyRows, match="holds up to 1 rows, and March 2026 alone has 2: choose CSV or XLSX"
    ):
        write("zip", everything(), tmp_path / "a.zip", HEADING)
    assert list(tmp_path.iterdir()) == []


def test_a_pdf_above_the_ceiling_fails_and_offers_the_other_ways(
    ann: Person, lantern: Merchant, folder: Path, settings
) -> None:
    settings.EXPORT_PDF_CEILING = 39
    rows.fill(lantern, 40)
    page = ann.browser.post("/exports/", {"format": "pdf", "query": "sort=amount"}).url
    tasks.make_export(page.split("/")[2])
    text = ann.browser.get(page).content.decode()
    assert "A PDF holds up to 39 rows and these are 40" in text
    assert re.findall(r'name="format" value="(\w+)"', text) == ["csv", "xlsx", "zip"]
    assert "Try again" not in text
    again = ann.browser.post("/exports/", {"format": "zip", "query": "sort=amount"}).url
    tasks.make_export(again.split("/")[2])
    export = Export.objects.get(pk=again.split("/")[2])
    assert (export.state, export.rows_total) == ("ready", 40)
    assert [each.suffix for each in folder.iterdir()] == [".zip"]
    answer = ann.browser.get(f"{again}download/")
    assert answer["Content-Type"] == "application/zip"
    assert hashlib.sha256(answer.getvalue()).hexdigest() == export.sha256


def test_the_list_offers_what_its_rows_fit_into(ann: Person, lantern: Merchant, settings) -> None:
    rows.fill(lantern, 40)

    def offered() -> list[str]:
        text = ann.browser.get("/transactions/").content.decode()
        menu = text[text.index('id="export-buttons"') :].split("</div>")[0]
        return re.findall(r'name="format" value="(\w+)"', menu)

    assert offered() == ["csv", "xlsx", "pdf"]
    settings.EXPORT_PDF_CEILING = 39
    assert offered() == ["csv", "xlsx", "zip"]


def test_the_command_writes_pdfs_by_month(lantern: Merchant, tmp_path: Path) -> None:
    rows.fill(lantern, 40)
    call_command(
        "export_transactions", merchant_id=LANTERN, format="zip", query="", output=tmp_path / "a.zip"
    )
    assert len(read(tmp_path / "a.zip")) == 6
