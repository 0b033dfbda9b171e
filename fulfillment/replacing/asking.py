"""What people decide about replaced keys: asking for one, looking after it, closing it."""

from django.db import transaction
from django.db.models.functions import Now

from fulfillment import rules
from fulfillment.actions.wishes import Blocked, allow, locked
from fulfillment.models import KeyReplacement
from fulfillment.receipts.platforms import platform
from fulfillment.replacing.states import State, move
from merchant import audit
from merchant.models import Membership
from transactions import card, mirror
from transactions.models import Transaction


def choices(order: Transaction) -> list[tuple[str, str]]:
    """The products of an order that have a key to replace: PaySuper's ids with their words."""
    found = {}
    for product in card.products(order.items.all(), order.raw_order.document):
        item = product.item
        if product.has_key and item.platform_id:
            found[item.product_id] = f"{item.name or item.product_id} ({platform(item.platform_id).name})"
    return list(found.items())


def ask(order: Transaction, membership: Membership, product_id: str, note: str) -> KeyReplacement:
    """Ask for another key; the caller rings for `run`. Raises Blocked, also for the second of two at once."""
    if not note.strip():
        raise Blocked("Say why the key is replaced.")
    with transaction.atomic():
        order = locked(order)
        allow(rules.replace_blocker(order, membership))
        offered = dict(choices(order))
        if product_id not in offered:
            raise Blocked("This product has no key to replace. Look at the order again.")
        replacement = KeyReplacement.objects.create(
            merchant=order.merchant,
            transaction=order,
            product_id=product_id,
            product=offered[product_id][:255],
            note=note,
            requested_by=membership.user,
            look_at=Now(),
        )
        mirror.record_refund_state(order, rules.KEY_REPLACING)
        told = {"replacement": replacement.pk, "product": product_id, "note": note}
        audit.record(order.merchant, membership.user, "key_replacement.requested", order.pk, **told)
    return replacement


def look_soon(replacement: KeyReplacement) -> None:
    """A person wants to know now. Raises Blocked when there is nothing to look for."""
    sent = KeyReplacement.objects.filter(pk=replacement.pk, state__in=KeyReplacement.SENT)
    if not sent.update(look_at=Now()):
        raise Blocked("This replacement does not wait for PaySuper.")


def close(replacement: KeyReplacement, membership: Membership, note: str) -> None:
    """A person has found out that no key was replaced. Raises Blocked."""
    if not note.strip():
        raise Blocked("Say how you know that no key was replaced.")
    words = f"Closed by {membership.user}: {note}"
    with transaction.atomic():
        if not move(replacement, State.NEEDS_PERSON, State.REFUSED, by=membership.user, outcome=words):
            raise Blocked("This replacement no longer waits for a person.")
        told = {"replacement": replacement.pk, "note": note}
        order = replacement.transaction_id
        audit.record(replacement.merchant, membership.user, "key_replacement.closed", order, **told)
