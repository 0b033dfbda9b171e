"""Workbooks and reports on paper have the rows and the sums of the list with the same query."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given, settings, strategies as st

from merchant.models import Merchant
from merchant.money import display, rounded
from tests.properties.test_export_is_the_list import (
    AMOUNTS,
    BERLIN,
    FILTERS,
    SOME,
    TEXTS,
    fill,
    meant,
    said,
    sums,
    write,
)
from tests.transactions import paper
from tests.transactions.export_rows import HOSTILE, decoded
from transactions.exports.report import without_controls

pytestmark = pytest.mark.django_db(transaction=True)
# Only of scripts that there is a font for: others are boxes on paper.
_PRINTABLE = st.lists(st.sampled_from(HOSTILE), min_size=20, max_size=20)
_CURRENCIES = {"Charge amount": "Charge currency", "Net": "Payout currency"}


@settings(max_examples=15, **SOME)
@given(filters=FILTERS, texts=TEXTS, amounts=AMOUNTS)
def test_a_workbook_is_the_list(
    lantern: Merchant, tmp_path: Path, filters: dict, texts: list[str], amounts: list[Decimal]
) -> None:
    fill(lantern, texts, amounts)

    written, expected = write(lantern, filters, tmp_path / "a.xlsx")

    book = openpyxl.load_workbook(tmp_path / "a.xlsx", data_only=True)
    titles, *found = book["Transactions"].iter_rows(values_only=True)
    rows = [worded(dict(zip(titles, row, strict=True))) for row in found]
    assert [row["Order ID"] for row in rows] == [str(each.uuid) for each in expected]
    for row, each in zip(rows, expected, strict=True):
        assert said(row) == meant(each, ".", without_controls)
    stated = {line[:4] for line in book["Summary"].iter_rows(values_only=True)}
    for (currency, status), (count, amount) in sums(expected).items():
        # A text where it has more digits than a spreadsheet keeps.
        assert {(currency, status, count, f"{amount:f}"), (currency, status, count, float(amount))} & stated
    assert written.rows == len(expected)


@settings(max_examples=4, **SOME)
@given(filters=FILTERS, texts=_PRINTABLE, amounts=AMOUNTS)
@example(filters={}, texts=HOSTILE, amounts=[Decimal("999999999999999.9999")] * len(HOSTILE))
def test_paper_is_the_list(
    lantern: Merchant, tmp_path: Path, filters: dict, texts: list[str], amounts: list[Decimal]
) -> None:
    fill(lantern, texts, amounts)

    _, expected = write(lantern, filters, tmp_path / "a.pdf")

    # Also the letters that are not seen: whoever copies a row or hears it read gets these.
    before, found = paper.read(tmp_path / "a.pdf")
    for row, each in zip(found, expected, strict=True):
        sign = -1 if each.type == "refund" else 1
        told = {
            "Date and time": f"{each.created_at.astimezone(BERLIN):%Y-%m-%d %H:%M:%S}",
            "Status": each.get_status_display(),
            "Project": each.project.name,
            "Product": each.product,
            "Country": each.country,
            "Method": each.method_title or each.method,
            "Transaction ID": each.transaction_id,
            "Charge": display(sign * each.charge_amount, each.charge_currency),
        }
        for name, text in told.items():
            assert paper.is_shown(row[name], without_controls(text)), (name, text, row)
    for (currency, status), (count, amount) in sums(expected).items():
        assert paper.letters(f"{currency}{status}{count}{display(amount, currency)}") in before


def worded(row: dict[str, object]) -> dict[str, str]:
    """Typed cells as a CSV has them."""
    found = {}
    for title, value in row.items():
        if isinstance(value, dt.datetime):
            found[title] = f"{value:%Y-%m-%d %H:%M:%S}"
        elif isinstance(value, int | float):
            found[title] = f"{rounded(Decimal(str(value)), str(row[_CURRENCIES.get(title, title)])):f}"
        else:
            found[title] = decoded(value or "")
    return found
