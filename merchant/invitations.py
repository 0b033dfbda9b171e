"""Invitations: from an owner's wish to a new member."""

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from merchant import audit, mailing, people, walls
from merchant.models import Invitation, Membership, Merchant, Role, User

# What a stolen owner's session could make us write to strangers.
MOST_WAITING = 100


class NotInvited(Exception):
    """Says in one sentence why somebody was not invited."""


class NotOpen(Exception):
    """The invitation was accepted, taken back, or is too old."""


def invite(merchant: Merchant, email: str, role: str, by: User) -> Invitation:
    """Invite an address, in lower case, into the team; its mail waits for a worker.

    Whether the address has an account already makes no difference to anybody here. Raises NotInvited.
    """
    with transaction.atomic():
        # Of two owners who invite the same person at once the second hears of the first.
        people.lock_owners(merchant)
        waiting = merchant.invitations.waiting()
        if Membership.objects.filter(merchant=merchant, user__email=email).exists():
            raise NotInvited("This person is in the team already.")
        if waiting.filter(email=email).exists():
            raise NotInvited("This address has been invited already: send that invitation again instead.")
        if waiting.count() >= MOST_WAITING:
            raise NotInvited(f"{MOST_WAITING} invitations are waiting already: take some of them back first.")
        invitation = Invitation(merchant=merchant, email=email, role=role, invited_by=by)
        _send(invitation, by)
        _record(invitation, by, "invitation.sent")
    return invitation


def resend(invitation: Invitation, by: User) -> None:
    """Send a new link, with its whole time ahead; the old one is dead. Raises NotOpen."""
    with transaction.atomic():
        locked = _locked(invitation)
        _send(locked, by)
        _record(locked, by, "invitation.sent_again")


def revoke(invitation: Invitation, by: User) -> None:
    """Take an invitation back. Raises NotOpen when it was accepted or taken back before."""
    with transaction.atomic():
        locked = _locked(invitation)
        locked.revoked_at = timezone.now()
        locked.save(update_fields=["revoked_at"])
        mailing.cancel(locked.mail)
        _record(locked, by, "invitation.taken_back")


def by_hash(token_hash: str) -> Invitation | None:
    """The open invitation of which a mail's link holds the token with this hash."""
    open_ones = Invitation.objects.open().select_related("merchant")
    with walls.lifted():  # whose it is, only who has the token knows
        return open_ones.filter(token_hash=token_hash).first()


def accept(invitation: Invitation, user: User) -> Membership:
    """Make this person a member. Who is one already keeps the role they have. Raises NotOpen.

    The caller has made sure that it is the person of the invited address.
    """
    with walls.only(invitation.merchant_id), transaction.atomic():
        locked = _locked(invitation)
        if locked.is_too_old:
            raise NotOpen
        locked.accepted_at, locked.accepted_by = timezone.now(), user
        locked.save(update_fields=["accepted_at", "accepted_by"])
        membership, is_new = Membership.with_ended.get_or_create(
            user=user, merchant=locked.merchant, defaults={"role": locked.role}
        )
        if membership.ended_at:
            membership.role, membership.ended_at = locked.role, None
            membership.save(update_fields=["role", "ended_at"])
            is_new = True
        if is_new:
            _record(locked, user, "member.joined")
    membership.merchant = locked.merchant
    return membership


def hashed(token: str) -> str:
    """What is kept of a token. It has 256 random bits: a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


def _locked(invitation: Invitation) -> Invitation:
    waiting = Invitation.objects.waiting().select_for_update(of=("self",)).select_related("merchant", "mail")
    found = waiting.filter(pk=invitation.pk).first()
    if not found:
        raise NotOpen
    return found


def _send(invitation: Invitation, by: User) -> None:
    token = secrets.token_urlsafe(32)
    mailing.cancel(invitation.mail)
    # Who sends it again answers for it: see people.deactivate.
    invitation.invited_by = by
    invitation.token_hash = hashed(token)
    invitation.expires_at = timezone.now() + dt.timedelta(days=settings.INVITATION_DAYS)
    invitation.mail = mailing.write(
        invitation.merchant,
        invitation.email,
        "invitation",
        f"{by} invites you to {invitation.merchant}",
        invitation=invitation,
        by=by,
        link=f"{settings.BASE_URL}{reverse('invitation')}?token={token}",
    )
    invitation.save()


def _record(invitation: Invitation, by: User, event: str) -> None:
    role = Role(invitation.role)
    audit.record(invitation.merchant, by, event, invitation.pk, person=invitation.email, role=role)
