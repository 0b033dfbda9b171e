"""The proof that the mirror equals its source."""

from collections.abc import Iterator
from uuid import UUID

from django.utils import timezone

from merchant import line
from merchant.models import Merchant
from merchant.paysuper.client import Client, Page
from merchant.paysuper.errors import NotFound
from transactions import mirror
from transactions.models import SyncState, Transaction
from transactions.sync.runs import OVERLAP
from transactions.sync.walking import walk


def drift(merchant: Merchant, *, deep: bool = False, repair: bool = False) -> Iterator[str]:
    """Every difference between the source and the mirror, row by row, in words. Nothing when they are equal.

    `deep` compares the items of each order too. A difference that a second, direct reading of the order does
    not confirm was only news on its way. With `repair`, what PaySuper says is written; what only the mirror
    has stays, since absence proves nothing.
    """
    found = 0
    with line.client(merchant) as client:
        for difference in _differences(client, merchant, deep=deep, repair=repair):
            found += 1
            yield difference
    checked = {"drift_checked_at": timezone.now(), "drift_found": found}
    SyncState.objects.update_or_create(merchant=merchant, defaults=checked)


def _differences(client: Client, merchant: Merchant, *, deep: bool, repair: bool) -> Iterator[str]:
    seen: set[UUID] = set()
    for page in _pages(client):
        yield from page.unreadable
        seen.update(order.uuid for order in page.orders)
        suspects = mirror.differences(merchant, page.orders, deep=deep)
        yield from _confirmed(client, merchant, list(suspects), deep=deep, repair=repair)
    kept = Transaction.objects.filter(merchant=merchant).values_list("uuid", flat=True)
    missing = [uuid for uuid in kept.iterator() if uuid not in seen and not _exists(client, uuid)]
    yield from (f"{uuid}: in the mirror, not at PaySuper" for uuid in missing)


def _pages(client: Client) -> Iterator[Page]:
    beginning = client.beginning()
    if beginning is not None:
        for step in walk(client, beginning - OVERLAP, timezone.now()):
            yield step.page


def _confirmed(
    client: Client, merchant: Merchant, suspects: list[UUID], *, deep: bool, repair: bool
) -> Iterator[str]:
    asked_at = timezone.now()
    orders = [client.order(uuid) for uuid in suspects]
    real = mirror.differences(merchant, orders, deep=deep)
    if repair and real:
        mirror.repair(merchant, [order for order in orders if order.uuid in real], asked_at)
    ending = " – repaired" if repair else ""
    yield from (f"{uuid}: {words}{ending}" for uuid, words in real.items())


def _exists(client: Client, uuid: UUID) -> bool:
    try:
        client.order(uuid)
    except NotFound:
        return False
    return True
