"""The only writer of the mirror of PaySuper's orders.

Newest wins: a version is as new as the moment at which the read that brought it was sent. Applying is
idempotent and independent of the order in which answers arrive.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from merchant import walls
from merchant.models import Merchant, Project
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import OrderRecord
from transactions.mirror import erasing, rows, totals, writing
from transactions.models import Fulfilment, StatusChange, SyncState, Transaction

entries_of, forget, of_customer = erasing.entries_of, erasing.forget, erasing.of_customer


@dataclass(frozen=True)
class Applied:
    """What an application changed: entries that are new, and entries that are different now."""

    added: frozenset[UUID] = frozenset()
    changed: frozenset[UUID] = frozenset()


def apply(
    merchant: Merchant,
    orders: Iterable[OrderRecord],
    asked_at: dt.datetime,
    cause: StatusChange.Cause = StatusChange.Cause.READING,
) -> Applied:
    """Bring the mirror up to what PaySuper answered to a read sent at `asked_at` (UTC).

    An older answer never replaces a newer one, and nothing of another merchant is touched. Statuses that
    changed are noted with the cause of the read.
    """
    latest = {order.uuid: order for order in orders}
    if not latest:
        return Applied()
    with walls.only(merchant.pk), transaction.atomic():
        projects = _projects(merchant, latest.values())
        values = [rows.row(merchant, projects, each, asked_at) for each in latest.values()]
        written = dict(writing.upsert(merchant, values, asked_at, cause))
        added = frozenset(uuid for uuid, is_new in written.items() if is_new)
        changed = frozenset(written) - added
        writing.remove_details(changed)
        writing.add_details(merchant, [latest[uuid] for uuid in written])
        erasing.scrub(merchant, erasing.forgotten_among(latest[uuid] for uuid in written))
    return Applied(added=added, changed=changed)


def differences(merchant: Merchant, orders: Sequence[OrderRecord], *, deep: bool = False) -> dict[UUID, str]:
    """In words, by uuid: where the mirror says something else than these orders do.

    `deep` looks at their items too.
    """
    entries = Transaction.objects.filter(merchant=merchant).prefetch_related(*(["items"] if deep else []))
    stored = entries.in_bulk([order.uuid for order in orders])
    projects = {project.paysuper_id: project for project in merchant.projects.all()}
    found, forgotten = {}, erasing.forgotten_among(orders)
    for order in orders:
        entry = stored.get(order.uuid)
        if entry and order.uuid in forgotten:
            # Who bought is gone on purpose.
            vars(entry).update(rows.customer(order))
        if entry is None or order.project_id not in projects:
            found[order.uuid] = "at PaySuper, not in the mirror"
        elif words := rows.difference(entry, rows.row(merchant, projects, order, entry.asked_at)):
            found[order.uuid] = words
        elif deep and [item.product_id for item in entry.items.all()] != [item.id for item in order.items]:
            found[order.uuid] = "its items differ"
    return found


def repair(merchant: Merchant, orders: Sequence[OrderRecord], asked_at: dt.datetime) -> None:
    """Write these orders even where the mirror believes that it has them already."""
    with transaction.atomic():
        found = Transaction.objects.filter(merchant=merchant, pk__in=[order.uuid for order in orders])
        found.update(fingerprint="")
        apply(merchant, orders, asked_at)


def keep_days(merchant: Merchant) -> None:
    """Count the daily totals anew when the merchant's days have become other days."""
    state = SyncState.objects.filter(merchant=merchant).first()
    if state is None or state.totals_zone != merchant.time_zone:
        totals.rebuild(merchant)


def record_fulfilment(entry: Transaction, fulfilment: Fulfilment) -> None:
    """Keep beside the mirrored order whether the customer has been given what was bought."""
    Transaction.objects.filter(pk=entry.pk).update(fulfilment=fulfilment)
    entry.fulfilment = fulfilment


def record_refund_state(entry: Transaction, state: str) -> None:
    """Keep beside the mirrored order how its latest refund request stands ("" for none)."""
    Transaction.objects.filter(pk=entry.pk).update(refund_state=state)
    entry.refund_state = state


def update_project(merchant: Merchant, paysuper_id: str, name: str, owner: str = "") -> Project:
    """The project of this merchant under PaySuper's id, made or renamed as needed.

    `owner` is whose it is by PaySuper's word, "" if that was not said. Raises Unexpected when that is another
    merchant, as with a token of another merchant, or when it has been connected to another one.
    """
    if owner not in ("", merchant.paysuper_id):
        raise Unexpected(f"the token is of another merchant: project {paysuper_id} belongs to {owner[:24]}")
    name = name[:200]
    theirs = Unexpected(f"project {paysuper_id} belongs to another merchant")
    try:
        project, _ = Project.objects.get_or_create(
            paysuper_id=paysuper_id, defaults={"merchant": merchant, "name": name or paysuper_id}
        )
    except IntegrityError:
        raise theirs from None  # behind the wall it is not even seen
    if project.merchant_id != merchant.pk:
        raise theirs
    if name and project.name != name:
        project.name = name
        project.save(update_fields=["name"])
    return project


def _projects(merchant: Merchant, orders: Iterable[OrderRecord]) -> dict[str, Project]:
    # Without their secrets, which would be decrypted.
    mine = merchant.projects.only("paysuper_id", "merchant")
    known = {project.paysuper_id: project for project in mine}
    for order in orders:
        if order.project_id not in known:
            known[order.project_id] = update_project(
                merchant, order.project_id, order.project_name, order.merchant_id
            )
    return known
