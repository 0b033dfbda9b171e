"""Daily totals are kept right by whatever changes an entry."""

import datetime as dt
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from merchant.models import Merchant
from merchant.paysuper import records
from tests.merchant import examples
from transactions import mirror, periods, sync
from transactions.models import DailyTotal, MonthlyTotal, Transaction


def kept(merchant: Merchant) -> dict[tuple[object, ...], tuple[int, Decimal]]:
    rows = DailyTotal.objects.filter(merchant=merchant).exclude(count=0)
    keys = ("project", "day", "type", "status", "currency", "count", "amount")
    return {tuple(row[:5]): (row[5], row[6]) for row in rows.values_list(*keys)}


def counted(merchant: Merchant) -> dict[tuple[object, ...], tuple[int, Decimal]]:
    counts, amounts = Counter(), Counter()
    for entry in Transaction.objects.filter(merchant=merchant):
        day = entry.created_at.astimezone(merchant.zone).date()
        key = (entry.project_id, day, entry.type, entry.status, entry.charge_currency)
        counts[key] += 1
        amounts[key] += entry.charge_amount
    return {key: (counts[key], amounts[key]) for key in counts}


def kept_months(merchant: Merchant) -> dict[tuple[object, ...], tuple[int, Decimal]]:
    rows = MonthlyTotal.objects.filter(merchant=merchant).exclude(count=0)
    keys = ("project", "month", "type", "status", "currency", "count", "amount")
    return {tuple(row[:5]): (row[5], row[6]) for row in rows.values_list(*keys)}


def months(
    days: dict[tuple[object, ...], tuple[int, Decimal]],
) -> dict[tuple[object, ...], tuple[int, Decimal]]:
    counts, amounts = Counter(), Counter()
    for (project, day, *kind), (count, amount) in days.items():
        key = (project, day.replace(day=1), *kind)
        counts[key] += count
        amounts[key] += amount
    return {key: (counts[key], amounts[key]) for key in counts}


def test_a_fill_counts_every_entry_once(mirrored: Merchant) -> None:
    assert kept(mirrored) == counted(mirrored) != {}
    sync.sync(mirrored, full=True)
    assert kept(mirrored) == counted(mirrored)


change = st.fixed_dictionaries(
    {
        "uuid": st.sampled_from([f"00000000-0000-0000-0000-00000000000{number}" for number in range(3)]),
        "status": st.sampled_from(["created", "processed", "refunded", "chargeback", "rejected"]),
        "order_charge": st.fixed_dictionaries(
            {"currency": st.sampled_from(["EUR", "JPY", "BHD"]), "amount": st.integers(0, 900)}
        ),
        "created_at": st.sampled_from(
            [{"seconds": each} for each in (1613569210, 1613602800, 1613606400, 1614553200)]
        ),
    }
)


@pytest.mark.django_db
@given(batches=st.lists(st.tuples(st.integers(0, 9), st.lists(change, min_size=1, max_size=3)), max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_arrives_in_whatever_order_the_totals_are_those_of_the_entries(
    lantern: Merchant, batches: list[tuple[int, list[dict]]]
) -> None:
    Transaction.objects.all().delete()
    DailyTotal.objects.all().delete()
    MonthlyTotal.objects.all().delete()
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for minute, changes in batches:
        orders = [records.order(examples.order(**each)) for each in changes]
        mirror.apply(lantern, orders, start + dt.timedelta(minutes=minute))
    assert kept(lantern) == counted(lantern)
    assert kept_months(lantern) == months(counted(lantern))


def test_other_days_of_the_merchant_are_counted_anew(mirrored: Merchant) -> None:
    mirrored.time_zone = "Pacific/Kiritimati"
    mirrored.save()
    sync.sync(mirrored)
    assert kept(mirrored) == counted(mirrored)
    assert kept_months(mirrored) == months(counted(mirrored))


def test_months_are_whole_only_from_their_first_day_to_their_last() -> None:
    date, known = dt.date, periods.Days
    for days, whole in {
        known(None, None): known(None, None),
        known(date(2026, 1, 1), date(2026, 1, 31)): known(date(2026, 1, 1), date(2026, 1, 31)),
        known(date(2026, 1, 2), date(2026, 3, 1)): known(date(2026, 2, 1), date(2026, 2, 28)),
        known(date(2026, 1, 31), None): known(date(2026, 2, 1), None),
        known(None, date(2026, 3, 30)): known(None, date(2026, 2, 28)),
        known(date(2026, 1, 2), date(2026, 2, 27)): None,
        known(date(2026, 5, 10), date(2026, 5, 12)): None,
        known(None, date(1, 1, 1)): None,
        known(None, date(1, 1, 31)): known(None, date(1, 1, 31)),
        known(date(9999, 12, 31), None): None,
        known(date(1, 1, 1), date(9999, 12, 31)): known(date(1, 1, 1), None),
        known(date(2026, 2, 1), date(2026, 1, 1)): None,
    }.items():
        assert days.whole_months == whole, days
