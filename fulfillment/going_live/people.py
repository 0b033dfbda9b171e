"""Whether the people, and the data, will survive a bad day."""

import datetime as dt

from django.apps import apps
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from fulfillment.going_live.checks import GREEN, TODO, Check, names
from fulfillment.models import BackupNote
from merchant.access import Right, roles_with
from merchant.models import Membership, Merchant, Role

BACKUP_GOOD_FOR = dt.timedelta(days=30)


def two_owners(merchant: Merchant) -> Check:
    """If one owner is gone, another one can still change everything."""
    owners = _active(merchant).filter(role=Role.OWNER).count()
    title = "Two owners"
    if owners > 1:
        return Check(title, GREEN, f"There are {owners} owners.", reverse("team"), "See the team")
    text = "Whom would you ask if the only owner were gone?"
    return Check(title, TODO, text, reverse("invite"), "Invite another one")


def second_factor(merchant: Merchant) -> Check:
    """Everybody who can move money signs in with a second factor."""
    title, link = "Second factor", reverse("team")
    if not apps.is_installed("allauth.mfa"):
        return Check(title, TODO, "This installation knows no second factor.", link, "See the team")
    # Only there when the application is.
    from allauth.mfa.models import Authenticator

    movers = _active(merchant).filter(role__in=roles_with(Right.REFUND))
    without = movers.exclude(user__in=Authenticator.objects.values("user")).order_by("user__email")
    found = [each.user for each in without.select_related("user")]
    if found:
        text = f"Can move money without one: {names(found)}. Everybody sets up their own."
        return Check(title, TODO, text, reverse("mfa_index"), "See yours")
    return Check(title, GREEN, "Everybody who can move money has one.", link, "See the team")


def backups(merchant: Merchant) -> Check:
    """A person has noted a backup not long ago."""
    title, newest = "Backups", BackupNote.objects.filter(merchant=merchant).first()
    link = reverse("fulfillment:going_live") + "#backups"
    if newest is None:
        return Check(title, TODO, "Nobody has noted a backup yet.", link, "Note one")
    text = f"The last one noted is of {newest.taken_on:%d.%m.%Y}: {newest.place}."
    today = timezone.now().astimezone(merchant.zone).date()
    if today - newest.taken_on > BACKUP_GOOD_FOR:
        return Check(title, TODO, f"{text} That is long ago.", link, "Note one")
    return Check(title, GREEN, text, link, "Note another one")


def _active(merchant: Merchant) -> QuerySet[Membership]:
    return Membership.objects.filter(merchant=merchant, user__is_active=True)
