"""Whether orders come one at a time or by the page, the mirror becomes the same."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import connection

from merchant.models import Merchant
from merchant.paysuper import records
from merchant.paysuper.records import OrderRecord
from tests.merchant.examples import order
from transactions import mirror
from transactions.mirror import writing
from transactions.models import DailyTotal, MonthlyTotal, StatusChange, Transaction

START = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)
NAMES = ["Zoë “quoted”", "back\\slash\tand tab", "\\N", "line\nbreak", "{0} %s 😀", "\u200fright to left", ""]


def lives() -> list[list[OrderRecord]]:
    """What three readings answer: new orders, some of them changed, and the same once more."""
    statuses = ["created", "processed", "rejected"]
    first = [
        order(
            uuid=str(uuid5(UUID(int=0), str(number))),
            status=statuses[number % 3],
            created_at={"seconds": 1613569263 + number * 7200},
            order_charge={"amount": 10 + Decimal(number) / 8, "currency": ["EUR", "JPY", "BHD"][number % 3]},
            user={"name": NAMES[number % len(NAMES)], "email": f"{number}@example.com"},
        )
        for number in range(writing._FEW + 10)
    ]
    second = [each | {"status": "refunded"} if place % 2 else each for place, each in enumerate(first)]
    return [[records.order(each) for each in reading] for reading in (first, second, second)]


def state() -> list[Any]:
    return [
        list(Transaction.objects.order_by("pk").values()),
        list(
            StatusChange.objects.order_by("transaction_id").values_list("transaction_id", "before", "after")
        ),
        *(
            list(model.objects.exclude(count=0).order_by(*keys).values_list(*keys, "count", "amount"))
            for model, keys in (
                (DailyTotal, ["day", "type", "status", "currency"]),
                (MonthlyTotal, ["month", "type", "status", "currency"]),
            )
        ),
    ]


def test_one_by_one_and_by_the_page_the_mirror_becomes_the_same(lantern: Merchant) -> None:
    for minute, page in enumerate(lives()):
        mirror.apply(lantern, page, START + dt.timedelta(minutes=minute))
    by_the_page = state()
    Transaction.objects.all().delete()
    for model in (StatusChange, DailyTotal, MonthlyTotal):
        model.objects.all().delete()
    for minute, page in enumerate(lives()):
        for each in page:
            mirror.apply(lantern, [each], START + dt.timedelta(minutes=minute))
    assert state() == by_the_page
    assert len(by_the_page[1]) == (writing._FEW + 10) // 2
    assert by_the_page[0][0]["asked_at"] == START + dt.timedelta(minutes=2)


def test_a_single_order_makes_no_table(lantern: Merchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_TABLE", "SELECT 1 / 0")
    assert mirror.apply(lantern, lives()[0][:1], START).added
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('pg_temp.news'), to_regclass('pg_temp.before')")
        assert cursor.fetchone() == (None, None)
