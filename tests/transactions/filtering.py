"""What the list finds, for the tests of its filters."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.http import QueryDict

from merchant.models import Merchant
from tests.conftest import HARBOUR, SNOW
from tests.transactions import rows
from tests.transactions.rows import BERLIN, NOW
from transactions.filters import TransactionFilter
from transactions.models import Transaction

Keep = Callable[[Transaction], bool]


@pytest.fixture
def filled(lantern: Merchant) -> Iterator[list[Transaction]]:
    with time_machine.travel(NOW, tick=False):
        yield rows.fill(lantern)


def days(first: str = "2000-01-01", last: str = "2100-01-01") -> Keep:
    return lambda row: first <= row.created_at.astimezone(BERLIN).date().isoformat() <= last


def any_of(name: str, *values: str) -> Keep:
    return lambda row: getattr(row, name) in values


def product(text: str) -> Keep:
    lower = text.lower()
    return lambda row: (
        lower in row.product.lower()
        or any(lower in item.sku.lower() or lower in item.name.lower() for item in row.items.all())
    )


def waiting(row: Transaction) -> bool:
    return row.fulfilment in ("unfulfilled", "partly") and (row.type, row.status) == ("order", "processed")


def searched(text: str) -> Keep:
    def keep(row: Transaction) -> bool:
        exact = (row.transaction_id, row.customer_id, row.refund_receipt, row.card_last4)
        part = len(text) >= 3 and text.lower() in row.customer_email.lower()
        return text in exact or part or text in (str(row.uuid), str(row.parent_uuid))

    return keep


# What stands in the address, and what it means for one row. All of these find some rows and leave some.
NAIVE: dict[str, Keep] = {
    "status=processed": any_of("status", "processed"),
    "status=refunded&status=chargeback": any_of("status", "refunded", "chargeback"),
    f"project={HARBOUR}": lambda row: row.project.paysuper_id == HARBOUR,
    f"project={SNOW}": lambda row: row.project.paysuper_id == SNOW,
    "product=sword": product("sword"),
    "product=sword-1": product("sword-1"),
    "product=100%25 wool_": product("100% wool_"),
    "product=%D0%BA%D0%BB%D1%8E%D1%87": product("ключ"),
    "method=BANKCARD": any_of("method", "BANKCARD"),
    "method=QIWI": any_of("method", "QIWI"),
    "country=DE": any_of("country", "DE"),
    "currency=JPY": any_of("charge_currency", "JPY"),
    "currency=EUR&currency=BHD": any_of("charge_currency", "EUR", "BHD"),
    "from=2025-10-26": days("2025-10-26"),
    "to=2025-10-26": days(last="2025-10-26"),
    "from=2025-10-26&to=2025-10-26": days("2025-10-26", "2025-10-26"),
    "from=2026-03-29&to=2026-03-29": days("2026-03-29", "2026-03-29"),
    "from=2026-02-28&to=2026-03-28": days("2026-02-28", "2026-03-28"),
    "period=today": days("2026-03-31", "2026-03-31"),
    "period=yesterday": days("2026-03-30", "2026-03-30"),
    "period=last_7_days": days("2026-03-25", "2026-03-31"),
    "period=last_30_days": days("2026-03-02", "2026-03-31"),
    "period=this_month": days("2026-03-01", "2026-03-31"),
    "period=last_month": days("2026-02-01", "2026-02-28"),
    "period=this_year": days("2026-01-01", "2026-12-31"),
    "period=today&from=2025-12-31": days("2025-12-31"),
    "period=today&to=2025-12-31": days(last="2025-12-31"),
    "amount_min=5": lambda row: row.charge_amount >= 5,
    "amount_min=11.89": lambda row: row.charge_amount >= Decimal("11.89"),
    "amount_max=11.89": lambda row: row.charge_amount <= Decimal("11.89"),
    "amount_max=0": lambda row: row.charge_amount == 0,
    "amount_min=0.01&amount_max=12.345": lambda row: (
        Decimal("0.01") <= row.charge_amount <= Decimal("12.345")
    ),
    "fulfilment=fulfilled": any_of("fulfilment", "fulfilled"),
    "fulfilment=unfulfilled": waiting,
    "type=order": any_of("type", "order"),
    "type=refund": any_of("type", "refund"),
    "q=681207": searched("681207"),
    "q=p-3": searched("p-3"),
    "q=0077": searched("0077"),
    "q=receipt13": searched("receipt13"),
    "q=mara@EXAMPLE": searched("mara@EXAMPLE"),
    "q=tag_x%25@": searched("tag_x%@"),
    "q=%D0%9B%D0%98@%D0%9F": searched("ЛИ@П"),
    "q=%20%20p-3%20": searched("p-3"),
    "q=00000000-0000-0000-0000-000000000001": searched("00000000-0000-0000-0000-000000000001"),
}


def found(merchant: Merchant, query: str) -> set[Any]:
    filters = TransactionFilter(merchant, QueryDict(query.replace("+", "%2B")))
    assert filters.is_valid(), filters.errors
    pks = list(filters.found.values_list("pk", flat=True))
    assert len(pks) == len(set(pks)), "a row came twice"
    return set(pks)


def chips(merchant: Merchant, query: str) -> list[tuple[str, str, str]]:
    filters = TransactionFilter(merchant, QueryDict(query))
    return [(chip.label, chip.text, chip.query_without) for chip in filters.chips()]
