"""The rows of a CSV are the rows of the list with the same query: same rows, same order, same words."""

import csv
import datetime as dt
import io
import zoneinfo
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from merchant.models import Merchant
from merchant.money import rounded
from tests.transactions import rows
from tests.transactions.export_rows import HOSTILE, guarded
from transactions import exporting, paging, recipes
from transactions.exports import Layout, Written
from transactions.filters import TransactionFilter
from transactions.models import Transaction

pytestmark = pytest.mark.django_db(transaction=True)
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
_ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TEXTS = st.lists(st.sampled_from(HOSTILE) | _ANY, min_size=20, max_size=20)
AMOUNTS = st.lists(
    st.decimals(min_value=-(10**15) + 1, max_value=10**15 - 1, places=4)
    | st.sampled_from(
        [Decimal(text) for text in ("0", "0.005", "-0.0049", "999999999999999.9999", "12.3456")]
    ),
    min_size=20,
    max_size=20,
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(["processed", "refunded", "chargeback"]), min_size=1, max_size=2),
        "currency": st.lists(st.sampled_from(rows.CURRENCIES), min_size=1, max_size=2),
        "type": st.sampled_from(["order", "refund"]),
        "country": st.sampled_from(["DE", "JP"]),
        "period": st.sampled_from(["last_90_days", "this_year", "last_year"]),
        "from": st.sampled_from(["2025-10-26", "2026-03-29"]),
        "amount_min": st.sampled_from(["0", "5", "-1000"]),
        "amount_max": st.sampled_from(["11.89", "99999999"]),
        "q": st.sampled_from(["p-3", "12.345 BHD", "=1+1"]),
        "sort": st.sampled_from(["date", "-date", "amount", "-amount", "nonsense"]),
    },
)
SOME = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": set(Phase) - {Phase.explain}}


@settings(max_examples=40, **SOME)
@given(filters=FILTERS, texts=TEXTS, amounts=AMOUNTS, dialect=st.sampled_from(sorted(recipes.DIALECTS)))
def test_a_csv_is_the_list(
    lantern: Merchant, tmp_path: Path, filters: dict, texts: list[str], amounts: list[Decimal], dialect: str
) -> None:
    delimiter, decimal = recipes.DIALECTS[dialect]
    fill(lantern, texts, amounts)

    written, expected = write(lantern, filters, tmp_path / "a.csv", Layout((), delimiter, decimal))

    text = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert [row["Order ID"] for row in found] == [str(each.uuid) for each in expected]
    assert written.rows == len(expected) == sum(each.count for each in written.sums)
    for row, each in zip(found, expected, strict=True):
        assert said(row) == meant(each, decimal)
    assert sums(expected) == {
        (each.currency, each.status): (each.count, each.amount) for each in written.sums
    }


def fill(merchant: Merchant, texts: list[str], amounts: list[Decimal]) -> None:
    """A list with what strangers and big spenders write in some of its rows."""
    Transaction.objects.all().delete()
    rows.fill(merchant, 60)
    changed = list(Transaction.objects.order_by("uuid")[: len(texts)])
    for each, text, amount in zip(changed, texts, amounts, strict=True):
        each.product = each.customer_name = each.transaction_id = text[:200]
        each.charge_amount = each.net_amount = amount
        each.payout_currency = each.charge_currency
    Transaction.objects.bulk_update(
        changed,
        ["product", "customer_name", "transaction_id", "charge_amount", "net_amount", "payout_currency"],
    )


def write(
    merchant: Merchant, filters: dict, path: Path, layout: Layout | None = None
) -> tuple[Written, list[Transaction]]:
    """The file of the list with these filters, and the rows that it should have."""
    query = QueryDict(urlencode(filters, doseq=True))
    written = exporting.write(
        merchant, query.urlencode(), path.suffix[1:], path, "x", lambda *_: None, layout=layout or Layout()
    )
    return written, listed(merchant, query)


def listed(merchant: Merchant, query: QueryDict) -> list[Transaction]:
    """The rows of all pages of the list."""
    filters, order = TransactionFilter(merchant, query), query.get("sort", paging.DEFAULT_ORDER)
    pks, cursor = [], ""
    while True:
        page = paging.page(filters.found, order, cursor, 25, ["uuid", "created_at", "charge_amount"])
        pks += [row["uuid"] for row in page.rows]
        if not (cursor := page.next):
            break
    known = Transaction.objects.select_related("project").in_bulk(pks)
    return [known[pk] for pk in pks]


def said(row: dict[str, object]) -> tuple[object, ...]:
    names = ["Product", "Customer name", "Transaction ID", "Charge amount", "Charge currency", "Net"]
    clocks = ["Date and time (Europe/Berlin)", "Date and time (UTC)"]
    return tuple(row[name] for name in [*names, *clocks])


def meant(each: Transaction, decimal: str, written: Callable[[str], str] = guarded) -> tuple[str, ...]:
    """What the row must say, worked out in Python."""
    sign = -1 if each.type == "refund" else 1
    charge, net = (
        f"{rounded(sign * amount, currency) + 0:f}".replace(".", decimal)
        for amount, currency in (
            (each.charge_amount, each.charge_currency),
            (each.net_amount, each.payout_currency),
        )
    )
    local, utc = (f"{each.created_at.astimezone(zone):%Y-%m-%d %H:%M:%S}" for zone in (BERLIN, dt.UTC))
    texts = (written(text) for text in (each.product, each.customer_name, each.transaction_id))
    return (*texts, charge, each.charge_currency, net, local, utc)


def sums(expected: list[Transaction]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """By currency and status, of what the rows say."""
    found: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for each in expected:
        status = each.get_status_display()
        count, amount = found.get((each.charge_currency, status), (0, Decimal(0)))
        sign = -1 if each.type == "refund" else 1
        charge = rounded(sign * each.charge_amount, each.charge_currency)
        found[each.charge_currency, status] = (count + 1, amount + charge)
    return found
