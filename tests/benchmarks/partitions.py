"""What partitions by month would cost and gain: the table as it is beside a partitioned copy of it.

`python -m tests.benchmarks.partitions postgres://…` on a copy of a database that benchmarks have filled
(tests.benchmarks.large_table); it adds tables to it and prints a table in Markdown.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

FLAT, PARTED = "transactions_transaction", "parted"
MERCHANT, ROUNDS, BATCH = 1, 60, 1000
_MONTHS = """
SELECT generate_series(date_trunc('month', min(created_at)), max(created_at), '1 month') FROM {0}
"""
_NEWEST = "WHERE merchant_id = {m} {0} ORDER BY created_at DESC, uuid DESC LIMIT 51"
QUESTIONS = {
    "list, no filter": _NEWEST.format("", m=MERCHANT),
    "list, one filter": _NEWEST.format("AND status = 'refunded'", m=MERCHANT),
    "list, three filters": _NEWEST.format(
        "AND status = 'processed' AND method = 'BANKCARD' AND country = 'DE'", m=MERCHANT
    ),
    "list, one month, one filter": _NEWEST.format(
        "AND status = 'refunded' AND created_at >= '2026-03-01' AND created_at < '2026-04-01'", m=MERCHANT
    ),
    "list, 500 pages deep": _NEWEST.format(
        f"AND (created_at, uuid) < ('2025-06-01', '8{'0' * 31}')", m=MERCHANT
    ),
    "oldest that wait for goods": f"WHERE merchant_id = {MERCHANT} AND type = 'order' "
    "AND status = 'processed' AND fulfilment IN ('unfulfilled', 'partly') ORDER BY created_at, uuid LIMIT 51",
    "an address, whole": _NEWEST.format("AND upper(customer_email) = '77PAYER24@EXAMPLE.COM'", m=MERCHANT),
    "an address, a part of it": _NEWEST.format("AND upper(customer_email) LIKE '%77PAYER24@%'", m=MERCHANT),
    "one order by its id": "WHERE uuid = '{known}'",
    "refunds of an order": "WHERE parent_uuid = '{known}'",
}


def main(address: str) -> None:
    with psycopg.connect(address, autocommit=True, prepare_threshold=None) as line:
        line.execute("SET maintenance_work_mem = '512MB'")
        took = {"to fill and index it": timed(lambda: _partition(line))}
        line.execute("VACUUM ANALYZE")
        print(f"{took['to fill and index it']:.0f} s to make the copy\n")
        print("| what | flat | by month | ratio |\n|---|--:|--:|--:|")
        for what, flat, parted in (*_sizes(line), *_questions(line), *_writes(line), *_retention(line)):
            print(f"| {what} | {flat:,.2f} | {parted:,.2f} | {parted / flat:.2f}× |", flush=True)


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _partition(line: psycopg.Connection) -> None:
    line.execute(f"DROP TABLE IF EXISTS {PARTED}")
    line.execute(f"CREATE TABLE {PARTED} (LIKE {FLAT} INCLUDING DEFAULTS) PARTITION BY RANGE (created_at)")
    for (month,) in line.execute(_MONTHS.format(FLAT)).fetchall():
        line.execute(
            f"CREATE TABLE parted_{month:%Y_%m} PARTITION OF {PARTED} "
            f"FOR VALUES FROM ('{month}') TO ('{month}'::timestamptz + interval '1 month')"
        )
    line.execute(f"CREATE TABLE parted_later PARTITION OF {PARTED} DEFAULT")
    line.execute(f"INSERT INTO {PARTED} SELECT * FROM {FLAT}")
    # A unique index of a partitioned table has to hold its key.
    line.execute(f"ALTER TABLE {PARTED} ADD PRIMARY KEY (uuid, created_at)")
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexdef !~ 'UNIQUE'"
    for name, definition in line.execute(indexes, [FLAT]).fetchall():
        line.execute(definition.replace(f" {name} ", f" parted_{name} ").replace(f"public.{FLAT}", PARTED))


def _sizes(line: psycopg.Connection) -> Iterator[tuple[str, float, float]]:
    parts = f"(SELECT inhrelid FROM pg_inherits WHERE inhparent = '{PARTED}'::regclass)"
    for what, function in (("rows, MB", "pg_table_size"), ("indexes, MB", "pg_indexes_size")):
        both = line.execute(
            f"SELECT {function}('{FLAT}') / 1e6, (SELECT sum({function}(inhrelid)) / 1e6 FROM {parts} AS p)"
        ).fetchone()
        yield what, float(both[0]), float(both[1])


def _questions(line: psycopg.Connection) -> Iterator[tuple[str, float, float]]:
    (known,) = line.execute(f"SELECT uuid FROM {FLAT} WHERE merchant_id = 1 OFFSET 4321 LIMIT 1").fetchone()
    for what, condition in QUESTIONS.items():
        times: dict[str, list[float]] = {FLAT: [], PARTED: []}
        for _ in range(ROUNDS):
            for table, taken in times.items():
                sql = (
                    f"SELECT uuid, created_at, status FROM {table} {condition.replace('{known}', str(known))}"
                )
                taken.append(timed(lambda sql=sql: line.execute(sql).fetchall()) * 1000)
        yield f"{what}, ms", statistics.median(times[FLAT]), statistics.median(times[PARTED])


def _writes(line: psycopg.Connection) -> Iterator[tuple[str, float, float]]:
    """COPY into a temporary table and INSERT … ON CONFLICT, as the mirror does."""
    columns = [
        row[0]
        for row in line.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [FLAT]
        )
    ]
    line.execute(f"CREATE TEMPORARY TABLE news (LIKE {FLAT})")
    kinds = {
        "1,000 changed orders of the last month, ms": "ORDER BY created_at DESC",
        "1,000 changed orders of any age, ms": "ORDER BY uuid",
    }
    for what, order in kinds.items():
        times: dict[str, list[float]] = {FLAT: [], PARTED: []}
        for turn in range(12):
            line.execute("TRUNCATE news")
            line.execute(
                f"INSERT INTO news SELECT * FROM {FLAT} WHERE merchant_id = 1 {order} "
                f"OFFSET {turn * BATCH} LIMIT {BATCH}"
            )
            line.execute("UPDATE news SET fingerprint = md5(fingerprint), refund_state = 'done'")
            for table, key in ((FLAT, "uuid"), (PARTED, "uuid, created_at")):
                upsert = (
                    f"INSERT INTO {table} AS mirror SELECT * FROM news ON CONFLICT ({key}) DO UPDATE SET "
                    + ", ".join(f"{name} = EXCLUDED.{name}" for name in columns if name not in key)
                    + " WHERE mirror.fingerprint <> EXCLUDED.fingerprint"
                )
                times[table].append(timed(lambda upsert=upsert: line.execute(upsert)) * 1000)
        yield what, statistics.median(times[FLAT]), statistics.median(times[PARTED])


def _retention(line: psycopg.Connection) -> Iterator[tuple[str, float, float]]:
    """Of the transactions' own rows alone: their items, documents and notes would have to go one by one."""
    found = line.execute(f"SELECT date_trunc('month', min(created_at)) + interval '1 month' FROM {FLAT}")
    (second,) = found.fetchone()
    (first,) = line.execute("SELECT %s - interval '1 month'", [second]).fetchone()
    with _rolled_back(line):
        line.execute("SET LOCAL session_replication_role = replica")
        delete = f"DELETE FROM {FLAT} WHERE created_at < '{second}'::timestamptz + interval '1 month'"
        slow = timed(lambda: line.execute(delete))
    with _rolled_back(line):
        both = f"DROP TABLE parted_{first:%Y_%m}, parted_{second:%Y_%m}"
        quick = timed(lambda: line.execute(both))
    yield "taking the oldest two months out, ms", slow * 1000, quick * 1000
    yield (
        "VACUUM, s",
        timed(lambda: line.execute(f"VACUUM {FLAT}")),
        timed(lambda: line.execute(f"VACUUM {PARTED}")),
    )


@contextmanager
def _rolled_back(line: psycopg.Connection) -> Iterator[None]:
    with line.transaction(force_rollback=True):
        yield


if __name__ == "__main__":
    main(sys.argv[1])
