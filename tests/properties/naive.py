"""Rows with every odd value, and the filters once more: as a plain reading of one row at a time."""

import datetime as dt
import random
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal

from merchant.models import Merchant
from tests.conftest import HARBOUR, SNOW
from tests.transactions.rows import BERLIN, MOMENTS, NOW
from transactions.models import Item, Transaction

Keep = Callable[[Transaction], bool]
TODAY = dt.date(2026, 3, 31)
WHOLE = uuid.UUID("5b0c8a52-7d0e-4f4b-9d7a-0f0000000001")
# Hours that exist twice or not at all in Berlin, and moments after now.
ODD_MOMENTS = [
    *MOMENTS,
    dt.datetime(2025, 10, 26, 0, 15, tzinfo=dt.UTC),
    dt.datetime(2025, 10, 26, 1, 15, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 0, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 1, 0, tzinfo=dt.UTC),
    dt.datetime(2025, 3, 31, 22, 0, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 1, 12, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 22, 22, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 22, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 31, 21, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 31, 22, 0, tzinfo=dt.UTC),
]
EMAILS = [
    "Mara@Example.com",
    "joan@example.com",
    "an@example.com",
    "r+tag_x%@example.org",
    "ли@пример.рф",
    "",
]
PRODUCTS = ["Golden Sword", "100% wool_cap", "Ключ", "剣と盾", "سيف", "Checkout", "golden SWORD + 2 more"]
AMOUNTS = {
    "EUR": ["0", "0.01", "5", "12.50", "4242", "999999.99"],
    "JPY": ["0", "5", "4242", "1980"],
    "KWD": ["0.001", "4.242", "12.5", "4242"],
    "": ["0"],
}


def fill(merchant: Merchant, number: int = 220, seed: int = 7) -> list[Transaction]:
    """So many rows of this merchant; every value of every column stands beside every other."""
    chance = random.Random(seed)
    projects = list(merchant.projects.order_by("paysuper_id"))
    entries = [_row(merchant, chance, projects, index) for index in range(number)]
    entries[0].pk, entries[1].parent_uuid = WHOLE, WHOLE
    items = list(_items(entries, chance))
    for item in items:
        item.transaction.bought += f"\n{item.name}\n{item.sku}"
    Transaction.objects.bulk_create(entries)
    Item.objects.bulk_create(items)
    found = Transaction.objects.filter(merchant=merchant).select_related("project").prefetch_related("items")
    return list(found)


def _row(merchant: Merchant, chance: random.Random, projects: list, index: int) -> Transaction:
    pick = chance.choice
    currency = pick(list(AMOUNTS))
    amount = Decimal(pick(AMOUNTS[currency]))
    method = pick(["BANKCARD", "QIWI", "BITCOIN", ""])
    product = pick(PRODUCTS)
    return Transaction(
        uuid=uuid.UUID(int=chance.getrandbits(128), version=4),
        merchant=merchant,
        project=pick(projects),
        type=pick(["order", "order", "refund"]),
        status=pick("created pending processed rejected canceled refunded chargeback on_the_moon".split()),
        created_at=ODD_MOMENTS[index % len(ODD_MOMENTS)],
        transaction_id=pick(["", f"6812{index:05}", "4242-1"]),
        product=product,
        bought=product,
        country=pick(["DE", "US", "XK", ""]),
        method=method,
        method_title=method.capitalize(),
        card_last4=pick(["0077", "4242", ""]),
        customer_id=pick(["p-3", "4242", "mara", "İstanbul 7", "joan@example.com", ""]),
        customer_email=pick(EMAILS),
        customer_name=pick(["Mara", "Ли", "麻良", ""]),
        is_production=index % 5 != 0,
        total_amount=amount,
        currency=currency,
        charge_amount=amount,
        charge_currency=currency,
        gross_amount=0,
        tax_amount=0,
        fees_amount=0,
        net_amount=0,
        payout_currency="EUR",
        refund_receipt=f"5f{index:022}" if index % 9 == 0 else "",
        asked_at=NOW,
        fulfilment=pick(["fulfilled", "unfulfilled"]),
    )


def _items(entries: list[Transaction], chance: random.Random) -> Iterator[Item]:
    for entry in entries:
        for position in range(chance.randrange(3)):
            yield Item(
                merchant=entry.merchant,
                transaction=entry,
                position=position,
                sku=chance.choice(["sword-1", "SWORD-1", "cap_%", ""]),
                name=chance.choice(PRODUCTS),
                amount=1,
                currency="EUR",
            )


def day_of(row: Transaction) -> dt.date:
    return row.created_at.astimezone(BERLIN).date()


def on(keep: Callable[[dt.date], bool]) -> Keep:
    return lambda row: keep(day_of(row))


def until_today(key: Callable[[dt.date], object], of: dt.date = TODAY) -> Keep:
    """Days with the same key as `of`, none of them after today."""
    return on(lambda day: key(day) == key(of) and day <= TODAY)


def equals(name: str, *values: object) -> Keep:
    return lambda row: getattr(row, name) in values


def bought(text: str) -> Keep:
    lower = text.lower()
    return lambda row: (
        lower in row.product.lower()
        or any(lower in item.sku.lower() or lower in item.name.lower() for item in row.items.all())
    )


def either(*keeps: Keep) -> Keep:
    return lambda row: any(keep(row) for keep in keeps)


def in_email(text: str) -> Keep:
    return lambda row: text.lower() in row.customer_email.lower()


def costs(*amounts: str) -> Keep:
    return lambda row: row.charge_amount in map(Decimal, amounts)


def _quarter(day: dt.date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3


def _days_ago(most: int) -> Keep:
    return on(lambda day: 0 <= (TODAY - day).days < most)


# For each filter: what may stand in the address, and what it means for one row.
FILTERS: dict[str, dict[str, Keep]] = {
    "status": {
        "status=processed": equals("status", "processed"),
        "status=refunded&status=chargeback": equals("status", "refunded", "chargeback"),
        "status=": lambda row: True,
    },
    "project": {
        f"project={HARBOUR}": lambda row: row.project.paysuper_id == HARBOUR,
        f"project={HARBOUR}&project={SNOW}": lambda row: row.project.paysuper_id in (HARBOUR, SNOW),
    },
    "product": {
        "product=sword": bought("sword"),
        "product=sword-1": bought("sword-1"),
        "product=cap_%25": bought("cap_%"),
        "product=КЛЮЧ": bought("ключ"),
        "product=剣": bought("剣"),
    },
    "method": {
        "method=BANKCARD": equals("method", "BANKCARD"),
        "method=SECONDS_OLD": lambda row: False,
    },
    "country": {"country=DE": equals("country", "DE"), "country=XK": equals("country", "XK")},
    "currency": {
        "currency=EUR": equals("charge_currency", "EUR"),
        "currency=JPY&currency=KWD&currency=ZZZ": equals("charge_currency", "JPY", "KWD"),
    },
    "amount": {
        "amount_min=4.242": lambda row: row.charge_amount >= Decimal("4.242"),
        "amount_max=12.5": lambda row: row.charge_amount <= Decimal("12.5"),
        "amount_min=0&amount_max=0": lambda row: row.charge_amount == 0,
    },
    "days": {
        "period=today": until_today(lambda day: day),
        "period=yesterday": on(lambda day: (TODAY - day).days == 1),
        "period=last_7_days": _days_ago(7),
        "period=last_30_days": _days_ago(30),
        "period=last_90_days": _days_ago(90),
        "period=this_week": until_today(lambda day: day.isocalendar()[:2]),
        "period=last_week": until_today(lambda day: day.isocalendar()[:2], TODAY - dt.timedelta(days=7)),
        "period=this_month": until_today(lambda day: (day.year, day.month)),
        "period=last_month": on(lambda day: (day.year, day.month) == (2026, 2)),
        "period=this_quarter": until_today(_quarter),
        "period=last_quarter": on(lambda day: _quarter(day) == (2025, 3)),
        "period=this_year": until_today(lambda day: day.year),
        "period=last_year": on(lambda day: day.year == 2025),
        "from=2025-10-26&to=2025-10-26": on(lambda day: day == dt.date(2025, 10, 26)),
        "from=2026-03-29&to=2026-03-29": on(lambda day: day == dt.date(2026, 3, 29)),
        "period=today&from=2026-02-28": on(lambda day: day >= dt.date(2026, 2, 28)),
        "to=2025-12-31": on(lambda day: day.year <= 2025),
    },
    "fulfilment": {
        "fulfilment=fulfilled": equals("fulfilment", "fulfilled"),
        "fulfilment=unfulfilled": lambda row: (
            row.fulfilment in ("unfulfilled", "partly") and (row.type, row.status) == ("order", "processed")
        ),
    },
    "type": {"type=order": equals("type", "order"), "type=refund": equals("type", "refund")},
    "mode": {"mode=live": equals("is_production", True), "mode=test": equals("is_production", False)},
    "q": {
        "q=4242": either(equals("card_last4", "4242"), costs("4242"), equals("customer_id", "4242")),
        "q=%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2 0077": equals("card_last4", "0077"),
        "q=%20“p-3” ": equals("customer_id", "p-3"),
        "q=MARA": either(equals("customer_id", "MARA"), in_email("mara")),
        "q=mara": either(equals("customer_id", "mara"), in_email("mara")),
        "q=AN@example.com": lambda row: row.customer_email.lower() == "an@example.com",
        "q=joan@example.com": either(
            equals("customer_id", "joan@example.com"), equals("customer_email", "joan@example.com")
        ),
        "q=x%25@": in_email("x%@"),
        "q=ЛИ@П": in_email("ли@п"),
        "q=İstanbul 7": equals("customer_id", "İstanbul 7"),
        "q=12,50": costs("12.5"),
        "q=12.5 eur": lambda row: (row.charge_amount, row.charge_currency) == (Decimal("12.5"), "EUR"),
        "q=4,242": costs("4242", "4.242"),
        "q=¥4,242": lambda row: (row.charge_amount, row.charge_currency) == (Decimal(4242), "JPY"),
        "q=ma": lambda row: False,
    },
}
# A whole id finds its rows whatever the other filters say.
IDS: dict[str, Keep] = {
    f"q={WHOLE}": either(equals("pk", WHOLE), equals("parent_uuid", WHOLE)),
    f"q=%7B{str(WHOLE).upper()}%7D": either(equals("pk", WHOLE), equals("parent_uuid", WHOLE)),
    "q=4242-1": equals("transaction_id", "4242-1"),
    f"q= '5f{9:022}'": equals("refund_receipt", f"5f{9:022}"),
}
EVERY = {query: (name, keep) for name, queries in FILTERS.items() for query, keep in queries.items()}
