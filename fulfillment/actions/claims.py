"""Who is on an order: one person at a time, for a while."""

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from fulfillment import rules
from fulfillment.actions.wishes import Blocked, allow
from fulfillment.models import Claim, FulfilmentRule
from merchant import audit
from merchant.models import Membership, User
from transactions.models import Transaction


def claim(entry: Transaction, membership: Membership) -> Claim:
    """Take an order that nobody is on, or stay on one's own. Raises Blocked.

    The row is changed only while it is free, so of two who press at once one holds it.
    """
    allow(rules.fulfil_blocker(entry, membership))
    holder = {"user": membership.user, "until": timezone.now() + _time(entry)}
    free = Q(until__lte=timezone.now()) | Q(user=membership.user)
    if not Claim.objects.filter(free, transaction=entry).update(**holder):
        _, is_new = Claim.objects.get_or_create(
            transaction=entry, defaults=holder | {"merchant": entry.merchant}
        )
        if not is_new:
            raise Blocked(blocker(entry, membership.user) or "Somebody else was faster. Try again.")
    audit.record(entry.merchant, membership.user, "fulfil.claimed", entry.pk)
    return Claim.objects.get(transaction=entry)


def release(entry: Transaction, membership: Membership) -> None:
    """Leave an order to others. Raises Blocked for somebody else's."""
    gone, _ = Claim.objects.filter(transaction=entry, user=membership.user).delete()
    if not gone:
        raise Blocked("You are not on this order.")
    audit.record(entry.merchant, membership.user, "fulfil.released", entry.pk)


def renew(entry: Transaction, user: User) -> None:
    """Who acts stays on the order for another while."""
    Claim.objects.filter(transaction=entry, user=user).update(until=timezone.now() + _time(entry))


def current(entry: Transaction) -> Claim | None:
    """Who is on the order now."""
    live = Claim.objects.filter(transaction=entry, until__gt=timezone.now())
    return live.select_related("user").first()


def blocker(entry: Transaction, user: User) -> str:
    """Who else is on the order, as a sentence; "" when nobody is."""
    claim = current(entry)
    if claim is None or claim.user_id == user.pk:
        return ""
    until = timezone.localtime(claim.until, entry.merchant.zone)
    return f"{claim.user} is on this order until {until:%H:%M}."


def _time(entry: Transaction) -> dt.timedelta:
    return dt.timedelta(minutes=FulfilmentRule.of(entry.project).claim_minutes)
