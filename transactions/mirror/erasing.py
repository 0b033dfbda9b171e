"""Forgetting customers: orders stay with their amounts, who bought goes, and no reading brings it back."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from merchant.models import Merchant
from merchant.paysuper.records import OrderRecord
from merchant.paysuper.values import kept
from transactions import personal
from transactions.mirror.totals import WRITERS_LOCK
from transactions.models import ErasedOrder, RawOrder, Transaction

# What an entry says of its customer, and what it says without.
FORGOTTEN = {"customer_id": "", "customer_name": "", "customer_email": "", "card_last4": ""}
_AT_ONCE = 200
_REPLACE = "UPDATE transactions_raworder SET document = %s WHERE transaction_id = %s"


def of_customer(merchant: Merchant, customer: str) -> QuerySet[Transaction]:
    """The entries of the customer with this e-mail address or ID."""
    mine = Transaction.objects.filter(merchant=merchant)
    return (
        mine.filter(Q(customer_email__iexact=customer) | Q(customer_id=customer)) if customer else mine.none()
    )


def entries_of(merchant: Merchant, customer: str) -> list[UUID]:
    """The customer's orders and all refunds of them, in order."""
    known = {*of_customer(merchant, customer).values_list("pk", flat=True)}
    refunds = Transaction.objects.filter(merchant=merchant, parent_uuid__in=known)
    return sorted({*known, *refunds.values_list("pk", flat=True)})


def forget(merchant: Merchant, customer: str) -> list[UUID]:
    """Take a customer out of all their orders, refunds included, whose amounts and sums stay; which they are.

    Waits for whoever writes the merchant's mirror, and whoever writes it afterwards knows.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [WRITERS_LOCK, merchant.pk])
        uuids = entries_of(merchant, customer)
        ErasedOrder.objects.bulk_create(
            [ErasedOrder(uuid=uuid, merchant=merchant) for uuid in uuids], ignore_conflicts=True
        )
        scrub(merchant, uuids)
    return uuids


def forgotten_among(orders: Iterable[OrderRecord]) -> list[UUID]:
    """Which of these are of forgotten customers: their orders, and refunds of them that came later."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM transactions_erasedorder)")
        if cursor.fetchone() == (False,):
            return []
        parents = {order.uuid: order.parent_uuid for order in orders}
        asked = {*parents, *parents.values()} - {None}
        cursor.execute("SELECT uuid FROM transactions_erasedorder WHERE uuid = ANY(%s)", [list(asked)])
        erased = {uuid for (uuid,) in cursor.fetchall()}
    return [uuid for uuid, parent in parents.items() if uuid in erased or parent in erased] if erased else []


def scrub(merchant: Merchant, uuids: Collection[UUID]) -> None:
    """Take the customer out of these entries and their documents. To be called in a transaction."""
    if not uuids:
        return
    Transaction.objects.filter(merchant=merchant, pk__in=uuids).update(**FORGOTTEN)
    documents = RawOrder.objects.filter(merchant=merchant, pk__in=uuids)
    with connection.cursor() as cursor:
        for raw in documents.iterator(chunk_size=_AT_ONCE):
            # Exact: amounts as they were written.
            _, left = kept(personal.erased(raw.document))
            cursor.execute(_REPLACE, [left.decode(), raw.pk])
