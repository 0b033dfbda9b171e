"""A small world of transactions in which every filter finds some and leaves some."""

import datetime as dt
import random
import uuid
import zoneinfo
from decimal import Decimal

from merchant.models import Merchant, Project
from transactions.models import Item, Transaction

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
NOW = dt.datetime(2026, 3, 31, 10, 30, tzinfo=dt.UTC)
STATUSES = "created pending processed rejected canceled refunded chargeback on_the_moon".split()
METHODS = {"BANKCARD": "Bank card", "QIWI": "QIWI Wallet", "BITCOIN": "Bitcoin", "": ""}
CURRENCIES = ["EUR", "USD", "JPY", "BHD"]
COUNTRIES = ["DE", "US", "JP", "BH", ""]
PRODUCTS = ["Golden Sword", "100% wool_cap", "Ключ", "Checkout"]
SKUS = ["sword-1", "cap", "key", ""]
# Moments around days, months, years and the changes of the clock in Berlin, with some of them twice.
MOMENTS = [
    dt.datetime(2025, 10, 25, 21, 59, 59, 999_999, dt.UTC),
    dt.datetime(2025, 10, 25, 22, 0, tzinfo=dt.UTC),
    dt.datetime(2025, 10, 26, 0, 30, tzinfo=dt.UTC),
    dt.datetime(2025, 10, 26, 22, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2025, 10, 26, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 31, 22, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2025, 12, 31, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 1, 31, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 2, 28, 22, 59, 59, 999_999, dt.UTC),
    dt.datetime(2026, 2, 28, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 24, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 28, 22, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 28, 23, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 21, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 29, 22, 0, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 30, 21, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2026, 3, 30, 22, 0, tzinfo=dt.UTC),
    NOW,
]


def fill(merchant: Merchant, number: int = 120, seed: int = 1) -> list[Transaction]:
    """So many transactions of this merchant, with items; every moment and amount occurs more than once."""
    chance = random.Random(seed)
    projects = list(merchant.projects.all())
    entries = [_entry(merchant, chance, projects, index) for index in range(number)]
    items = [_item(entry, chance) for entry in entries if entry.product != "Checkout"]
    for entry in entries:
        entry.bought = entry.product
    for item in items:
        item.transaction.bought += f"\n{item.name}\n{item.sku}"
    Transaction.objects.bulk_create(entries)
    Item.objects.bulk_create(items)
    return list(
        Transaction.objects.filter(merchant=merchant).select_related("project").prefetch_related("items")
    )


def unsaved(merchant: Merchant) -> Transaction:
    """One transaction that is not in the database yet."""
    entry = _entry(merchant, random.Random(), list(merchant.projects.all()), 0)
    entry.pk = uuid.uuid4()
    return entry


def _entry(merchant: Merchant, chance: random.Random, projects: list[Project], index: int) -> Transaction:
    method = chance.choice(list(METHODS))
    currency = chance.choice(CURRENCIES)
    return Transaction(
        uuid=uuid.UUID(int=chance.getrandbits(128), version=4),
        merchant=merchant,
        project=chance.choice(projects),
        type=chance.choice(["order", "order", "refund"]),
        status=STATUSES[index % len(STATUSES)],
        created_at=MOMENTS[index % len(MOMENTS)],
        transaction_id=f"68120{index % 50}",
        product=chance.choice(PRODUCTS),
        country=chance.choice(COUNTRIES),
        method=method,
        method_title=METHODS[method],
        card_last4=chance.choice(["0077", "4477", ""]),
        customer_id=f"p-{index % 7}",
        customer_email=chance.choice(["Mara@Example.com", "r+tag_x%@example.org", "", "ли@пример.рф"]),
        customer_name="<b>Mara</b>",
        is_production=True,
        total_amount=Decimal(10),
        currency=currency,
        charge_amount=chance.choice(
            [Decimal(text) for text in ("0", "0.01", "5", "11.89", "12.345", "999999.99")]
        ),
        charge_currency=currency,
        gross_amount=0,
        tax_amount=0,
        fees_amount=0,
        net_amount=0,
        payout_currency="USD",
        parent_uuid=uuid.UUID(int=index % 3) if index % 11 == 0 else None,
        refund_receipt=f"receipt{index}" if index % 13 == 0 else "",
        asked_at=NOW,
        fulfilment=chance.choice(["fulfilled", "partly", "unfulfilled"]),
    )


def _item(entry: Transaction, chance: random.Random) -> Item:
    return Item(
        merchant=entry.merchant,
        transaction=entry,
        position=0,
        sku=chance.choice(SKUS),
        name=chance.choice(PRODUCTS),
        amount=1,
        currency="EUR",
    )
