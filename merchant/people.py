"""Who works for a merchant: roles, leaving, and being let back in."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone

from merchant import audit, mailing
from merchant.access import Right, may
from merchant.models import Membership, Merchant, Role, User


class LastOwner(Exception):
    """Without this person nobody could let others in."""

    def __init__(self) -> None:
        super().__init__("A team keeps at least one owner: make somebody else an owner first.")


def change_role(member: Membership, role: str, by: User) -> bool:
    """Give a member another role, from their next click on; False if it is theirs already.

    What they have invited and may not any more is taken back. Raises LastOwner.
    """
    with _changing(member) as (locked, owners):
        before = locked.role
        if before == role:
            return False
        if before == Role.OWNER and owners == 1:
            raise LastOwner
        locked.role = role
        locked.save(update_fields=["role"])
        _record(locked, by, "member.role_changed", before=before, after=role)
        _take_back_invitations(locked, by)
    return True


def deactivate(member: Membership, by: User) -> bool:
    """End a membership and all sessions of its person; False if it has ended before.

    The invitations that they sent are taken back. Raises LastOwner.
    """
    with _changing(member) as (locked, owners):
        if locked.ended_at:
            return False
        if locked.role == Role.OWNER and owners == 1:
            raise LastOwner
        locked.ended_at = timezone.now()
        locked.save(update_fields=["ended_at"])
        event = "member.left" if by == locked.user else "member.deactivated"
        _record(locked, by, event, role=locked.role)
        _take_back_invitations(locked, by)
        if by != locked.user:
            locked.user.end_sessions()
    return True


def let_back_in(member: Membership, by: User) -> bool:
    """Begin an ended membership anew with the role it had; False if it is not ended."""
    with _changing(member) as (locked, _):
        if not locked.ended_at:
            return False
        locked.ended_at = None
        locked.save(update_fields=["ended_at"])
        _record(locked, by, "member.let_back_in", role=locked.role)
    return True


@contextmanager
def _changing(member: Membership) -> Iterator[tuple[Membership, int]]:
    """The member, and how many owners there are, of whom none changes until the end."""
    with transaction.atomic():
        owners = lock_owners(member.merchant)
        locked = Membership.with_ended.select_for_update(of=("self",)).select_related("user", "merchant")
        yield locked.get(pk=member.pk), owners


def _take_back_invitations(member: Membership, by: User) -> None:
    """What somebody has invited who may not any more: a way back in would be left open."""
    if not member.ended_at and may(member, Right.PEOPLE):
        return
    waiting = member.merchant.invitations.waiting().filter(invited_by=member.user)
    for each in waiting.select_for_update(of=("self",)).select_related("mail").order_by("pk"):
        each.revoked_at = timezone.now()
        each.save(update_fields=["revoked_at"])
        mailing.cancel(each.mail)
        said = {"person": each.email, "role": Role(each.role)}
        audit.record(member.merchant, by, "invitation.taken_back", each.pk, **said)


def lock_owners(merchant: Merchant) -> int:
    """How many owners the merchant has, none of whom is changed before this transaction ends."""
    # In one order, so that two people who change each other do not wait for each other forever.
    owners = Membership.objects.filter(merchant=merchant, role=Role.OWNER).order_by("pk")
    return len(owners.select_for_update())


def _record(member: Membership, by: User, event: str, **data: str) -> None:
    audit.record(member.merchant, by, event, member.pk, person=member.user.email, **data)
