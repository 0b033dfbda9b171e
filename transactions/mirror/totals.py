"""Daily and monthly totals, kept right by the very transaction that changes the entries."""

from django.db import connection, transaction

from merchant.models import Merchant
from transactions.models import DailyTotal, MonthlyTotal, SyncState

# What a total depends on: as long as these stay the same, a change of an entry changes no total.
SUMMED = "merchant_id project_id created_at type status charge_currency charge_amount".split()

# Held by whoever writes entries or totals of a merchant.
WRITERS_LOCK = 20_482

_KEYS = "merchant_id, project_id, day, type, status, currency"
_MONTH_KEYS = _KEYS.replace("day", "month")
# Of the days in `summed`, their months.
_MONTHS = f"""
SELECT {_KEYS.replace("day", "date_trunc('month', day)::date")}, sum(count), sum(amount)
FROM {{}} GROUP BY 1, 2, 3, 4, 5, 6
"""
_DAY = "(created_at AT TIME ZONE %(zone)s)::date"
# Adds what was written and takes away what stood there before; `written` and `before` come from the writer.
ROLL_UP = f"""
moved AS (
    SELECT 1 AS sign, {", ".join(SUMMED)} FROM written
    UNION ALL
    SELECT -1, {", ".join(f"before.{name}" for name in SUMMED)} FROM before JOIN written USING (uuid)
), summed AS (
    SELECT merchant_id, project_id, {_DAY} AS day, type, status, charge_currency AS currency,
        sum(sign) AS count, sum(sign * charge_amount) AS amount
    FROM moved GROUP BY 1, 2, 3, 4, 5, 6
), rolled AS (
    INSERT INTO transactions_dailytotal AS total ({_KEYS}, count, amount)
    SELECT {_KEYS}, count, amount FROM summed WHERE count <> 0 OR amount <> 0
    ON CONFLICT ({_KEYS}) DO UPDATE
    SET count = total.count + EXCLUDED.count, amount = total.amount + EXCLUDED.amount
), rolled_months AS (
    INSERT INTO transactions_monthlytotal AS total ({_MONTH_KEYS}, count, amount)
    {_MONTHS.format("summed")} HAVING sum(count) <> 0 OR sum(amount) <> 0
    ON CONFLICT ({_MONTH_KEYS}) DO UPDATE
    SET count = total.count + EXCLUDED.count, amount = total.amount + EXCLUDED.amount
)
"""
_REBUILD = f"""
INSERT INTO transactions_dailytotal ({_KEYS}, count, amount)
SELECT merchant_id, project_id, {_DAY}, type, status, charge_currency, count(*), sum(charge_amount)
FROM transactions_transaction WHERE merchant_id = %(merchant)s GROUP BY 1, 2, 3, 4, 5, 6
"""
_REBUILD_MONTHS = f"""
INSERT INTO transactions_monthlytotal ({_MONTH_KEYS}, count, amount)
{_MONTHS.format("(SELECT * FROM transactions_dailytotal WHERE merchant_id = %(merchant)s) AS days")}
"""


def rebuild(merchant: Merchant) -> None:
    """Count the merchant's totals anew, by days and months of its zone."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [WRITERS_LOCK, merchant.pk])
        for model in (DailyTotal, MonthlyTotal):
            model.objects.filter(merchant=merchant).delete()
        cursor.execute(_REBUILD, {"zone": merchant.time_zone, "merchant": merchant.pk})
        cursor.execute(_REBUILD_MONTHS, {"merchant": merchant.pk})
        SyncState.objects.update_or_create(merchant=merchant, defaults={"totals_zone": merchant.time_zone})
