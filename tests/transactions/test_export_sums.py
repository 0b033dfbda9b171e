"""What a file says that its rows add up to is what a reader gets who adds up its rows, to the cent."""

import csv
import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal

import openpyxl
import pytest
from pypdf import PdfReader

from merchant.models import Merchant
from merchant.money import display
from merchant.paysuper import records
from tests.merchant.examples import order
from tests.transactions.export_rows import HEADING, everything, make_project, sale
from transactions import mirror, overview
from transactions.exports import write
from transactions.models import DailyTotal, Transaction

pytestmark = pytest.mark.django_db(transaction=True)

AMOUNTS = {
    "EUR": ["0.005", "0.005", "0.005", "11.8949"],
    "JPY": ["0.5", "0.5", "1199.5"],
    "BHD": ["0.0005", "0.0005", "12.3455"],
    "": ["0.005", "0.005"],
}


@pytest.fixture
def sales() -> None:
    """Amounts that are rounded in the rows, which moves their sums by more than a cent."""
    project = make_project()
    for currency, amounts in AMOUNTS.items():
        for number, amount in enumerate(amounts):
            sale(project, number, charge_currency=currency, charge_amount=Decimal(amount))
    sale(project, 9, type="refund", status="refunded", charge_amount=Decimal("0.005"))


def test_stated_sums_are_those_of_the_rows_of_the_csv(tmp_path, sales):
    written = write("csv", everything(), tmp_path / "a.csv", HEADING)

    added = defaultdict(Decimal)
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            added[row["Charge currency"], row["Status"]] += Decimal(row["Charge amount"])
    assert {(each.currency, each.status): each.amount for each in written.sums} == added
    assert added["EUR", "Processed"] == Decimal("11.92")
    assert added["EUR", "Refunded"] == Decimal("-0.01")


def test_stated_sums_are_those_of_the_cells_of_the_workbook(tmp_path, sales):
    write("xlsx", everything(), tmp_path / "a.xlsx", HEADING)

    book = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)
    added = defaultdict(Decimal)
    titles, *rows = book["Transactions"].iter_rows(values_only=True)
    for row in rows:
        cells = dict(zip(titles, row, strict=True))
        key = cells["Charge currency"] or None, cells["Status"]
        added[key] += Decimal(str(cells["Charge amount"]))
    stated = {
        line[:2]: (Decimal(str(line[3])), Decimal(str(line[5])), line[6])
        for line in book["Summary"].iter_rows(values_only=True)
        if line[6] == "agrees" and line[1] != "All statuses"
    }
    assert stated == {key: (amount, amount, "agrees") for key, amount in added.items()}


def test_stated_sums_are_those_of_the_rows_on_paper(tmp_path, sales):
    write("pdf", everything(), tmp_path / "a.pdf", HEADING)

    summary, *table = (page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages)
    rows = re.findall(r"¥([\d,]+)$", "\n".join(table), re.MULTILINE)
    assert sum(int(row.replace(",", "")) for row in rows) == 1202
    assert "¥1,202" in summary


@pytest.mark.parametrize("currency", ["EUR", "JPY", "BHD"])
def test_totals_above_the_list_are_those_of_its_rows_and_of_its_files(
    lantern: Merchant, tmp_path, currency: str
):
    """PaySuper's amounts are floats with whatever digits (contract §16.1)."""
    amounts = ["11.889999999999999", "0.0005", "0.5", "0.005", "1199.4949", "0.30000000000000004"]
    read = [
        records.order(
            order(
                uuid=f"00000000-0000-0000-0000-00000000000{number}",
                order_charge={"amount": Decimal(amount), "currency": currency},
            )
        )
        for number, amount in enumerate(amounts)
    ]
    mirror.apply(lantern, read, dt.datetime(2021, 3, 1, tzinfo=dt.UTC))

    rows = list(Transaction.objects.values("status", "type", "charge_currency", "charge_amount"))
    [total] = overview.totals(Transaction.objects.all())
    shown = sum(Decimal(re.sub(r"[^0-9.]", "", display(row["charge_amount"], currency))) for row in rows)
    assert total.paid == shown
    assert overview.totals_of_rows(rows) == overview.totals_of_days(DailyTotal.objects.all()) == [total]
    [stated] = write("csv", everything(), tmp_path / "a.csv", HEADING).sums
    assert (stated.currency, stated.count, stated.amount) == (currency, len(amounts), shown)
