"""Applying answers that say nothing new, beside applying answers in which every order has changed."""

import datetime as dt
from collections.abc import Iterator

from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper import records
from merchant.paysuper.client import PAGE_SIZE
from merchant.paysuper.records import OrderRecord
from tests.benchmarks import world
from tests.benchmarks.measure import Line, Sizes, faster, rates, timed
from transactions import mirror
from transactions.sync.walking import walk

_PEER = "the same when every order has another status"


def measure(sizes: Sizes) -> Iterator[Line]:
    """Pages of orders that the mirror knows already."""
    world.empty()
    with world.paysuper(sizes.unchanged) as merchant:
        orders = _orders(merchant)
    _apply(merchant, orders)
    pairs = []
    for number in range(sizes.rounds):
        other = _with_status(orders, f"status {number}")
        changed = timed(lambda news=other: _apply(merchant, news))
        pairs.append((timed(lambda news=other: _apply(merchant, news)), changed))
    ours, peer = rates(pairs, len(orders), "orders")
    yield Line(f"Applying {len(orders):,} unchanged orders", ours, f"{peer}: {_PEER}", faster(pairs), 1.4)


def _orders(merchant: Merchant) -> list[OrderRecord]:
    now = timezone.now()
    with line.client(merchant) as client:
        steps = walk(client, now - dt.timedelta(days=100), now)
        return [order for step in steps for order in step.page.orders]


def _with_status(orders: list[OrderRecord], status: str) -> list[OrderRecord]:
    return [records.order({**each.raw, "status": status}) for each in orders]


def _apply(merchant: Merchant, orders: list[OrderRecord]) -> None:
    for start in range(0, len(orders), PAGE_SIZE):
        mirror.apply(merchant, orders[start : start + PAGE_SIZE], timezone.now())
