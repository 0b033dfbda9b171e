import csv
import io
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from merchant.money import exponent
from tests.transactions.export_rows import (
    HEADING,
    HOSTILE,
    everything,
    guarded,
    lookalikes,
    make_project,
    sale,
    unsaved,
)
from transactions.exports import write
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)
_FORMULA = st.builds(
    lambda start, rest: start + rest, st.sampled_from(["=", "+", "-", "@", " =", "\uff1d", "\t"]), _TEXT
)


def exported(path, queryset=None) -> list[dict[str, str]]:
    write("csv", everything() if queryset is None else queryset, path / "a.csv", HEADING)
    text = (path / "a.csv").read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_has_the_columns_in_their_order(tmp_path):
    sale(make_project())

    (row,) = exported(tmp_path)

    assert list(row) == [
        "Date and time (Europe/Berlin)", "Date and time (UTC)", "Type", "Status", "Project", "Product",
        "Country", "Payment method", "Transaction ID", "Order ID", "Customer ID", "Customer name", "E-mail",
        "Order amount", "Order currency", "Charge amount", "Charge currency", "Gross", "Tax", "Fees", "Net",
        "Payout currency", "Fulfilment", "Refund of", "Refund receipt", "Decline code", "Test",
        "Refund", "Card ends in", "Paid at (Europe/Berlin)",
    ]  # fmt: skip


def test_says_what_the_row_says(tmp_path):
    made = sale(make_project("Skyforge"))

    (row,) = exported(tmp_path)

    assert row == {
        "Date and time (Europe/Berlin)": "2026-10-25 00:00:00",
        "Date and time (UTC)": "2026-10-24 22:00:00",
        "Type": "Order",
        "Status": "Processed",
        "Project": "Skyforge",
        "Product": "Golden sword",
        "Country": "DE",
        "Payment method": "Bank card",
        "Transaction ID": "tx-00000",
        "Order ID": str(made.uuid),
        "Customer ID": "c-0",
        "Customer name": "Jane Doe",
        "E-mail": "jane@example.com",
        "Order amount": "11.89",
        "Order currency": "EUR",
        "Charge amount": "11.89",
        "Charge currency": "EUR",
        "Gross": "13.00",
        "Tax": "2.08",
        "Fees": "0.95",
        "Net": "9.97",
        "Payout currency": "USD",
        "Fulfilment": "Unfulfilled",
        "Refund of": "",
        "Refund receipt": "",
        "Decline code": "",
        "Test": "no",
        "Refund": "",
        "Card ends in": "",
        "Paid at (Europe/Berlin)": "",
    }


def test_a_refund_is_negative_and_points_to_its_order(tmp_path):
    project = make_project()
    original = sale(project, 1, status="refunded")
    sale(project, 2, type="refund", status="refunded", parent_uuid=original.uuid, refund_receipt="r-7")

    refund, order = exported(tmp_path)

    amounts = ("Order amount", "Charge amount", "Gross", "Tax", "Fees", "Net")
    assert [refund[name] for name in amounts] == ["-11.89", "-11.89", "-13.00", "-2.08", "0.95", "-9.97"]
    assert order["Charge amount"] == "11.89"
    assert (refund["Type"], refund["Refund of"], refund["Refund receipt"]) == (
        "Refund",
        str(original.uuid),
        "r-7",
    )


@pytest.mark.parametrize(
    ("currency", "amount", "printed"),
    [
        ("JPY", "1200", "1200"),
        ("BHD", "12.345", "12.345"),
        ("EUR", "0.1", "0.10"),
        ("CLF", "1.2345", "1.2345"),
        ("IQD", "1.234", "1.234"),
        ("XYZ", "3", "3.00"),
        ("", "0", "0.00"),
        ("EUR", "999999999999999.99", "999999999999999.99"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(tmp_path, currency, amount, printed):
    sale(make_project(), charge_currency=currency, charge_amount=Decimal(amount))

    (row,) = exported(tmp_path)

    assert (row["Charge amount"], row["Charge currency"]) == (printed, currency)
    assert -Decimal(printed).as_tuple().exponent == exponent(currency)


def test_an_invented_status_and_a_test_order_are_shown(tmp_path):
    sale(make_project(), status="frozen", is_production=False, method_title="", method="NEWPAY")

    (row,) = exported(tmp_path)

    assert (row["Status"], row["Test"], row["Payment method"]) == ("frozen", "yes", "NEWPAY")


def test_the_hour_that_the_clocks_repeat_stays_apart_in_utc(tmp_path):
    project = make_project()
    for hour in (2, 3):  # 24 October 22:00 UTC and on: 02:00 in Berlin, twice
        sale(project, hour)

    second, first = exported(tmp_path)

    assert (
        first["Date and time (Europe/Berlin)"]
        == second["Date and time (Europe/Berlin)"]
        == "2026-10-25 02:00:00"
    )
    assert (first["Date and time (UTC)"], second["Date and time (UTC)"]) == (
        "2026-10-25 00:00:00",
        "2026-10-25 01:00:00",
    )


def test_keeps_the_order_of_the_queryset(tmp_path):
    project = make_project()
    for number in range(50):
        sale(project, number, charge_amount=Decimal(number * 37 % 50))

    rows = exported(tmp_path, Transaction.objects.order_by("charge_amount"))

    assert [row["Charge amount"] for row in rows] == [f"{number}.00" for number in range(50)]


def test_lines_end_as_rfc_4180_says(tmp_path):
    sale(make_project(), product="two\nlines")

    exported(tmp_path)

    content = (tmp_path / "a.csv").read_bytes()
    assert content.count(b"\r\n") == 2
    assert b'"two\nlines"' in content
    assert content.endswith(b"\r\n")


def test_hostile_texts_arrive_whole_and_are_no_formulas(tmp_path):
    project = make_project()
    made = [sale(project, number, **values) for number, values in enumerate(lookalikes())]

    rows = exported(tmp_path, Transaction.objects.order_by("created_at"))

    for one, row in zip(made, rows, strict=True):
        assert row["Product"] == guarded(one.product)
        assert row["Transaction ID"] == guarded(one.transaction_id)
        assert row["E-mail"] == guarded(one.customer_email)
        assert row["Decline code"] == guarded(one.cancellation_code)


def test_formulas_get_an_apostrophe_and_plain_numbers_do_not(tmp_path):
    project = make_project()
    texts = [
        "=1+1",
        "+x",
        "-x",
        "@x",
        "\tx",
        "\rx",
        " =x",
        "\uff1dx",
        "\uff0bx",
        "\uff0dx",
        "\uff20x",
        "-5",
        "+49123",
        "-1.5",
        "5-3",
        "",
    ]
    for number, text in enumerate(texts):
        sale(project, number, customer_name=text)

    rows = exported(tmp_path, Transaction.objects.order_by("created_at"))

    assert [row["Customer name"] for row in rows] == [f"'{text}" for text in texts[:11]] + texts[11:]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=set(Phase) - {Phase.explain},
)
@given(texts=st.lists(_TEXT | _FORMULA | st.sampled_from(HOSTILE), min_size=1, max_size=25))
def test_any_text_survives(tmp_path, texts):
    Transaction.objects.all().delete()
    project = make_project()
    Transaction.objects.bulk_create([unsaved(project, n, customer_name=text) for n, text in enumerate(texts)])

    rows = exported(tmp_path, Transaction.objects.order_by("created_at"))

    assert [row["Customer name"] for row in rows] == [guarded(text) for text in texts]
