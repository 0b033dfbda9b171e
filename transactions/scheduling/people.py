"""Who may get what a schedule makes: rights count when it is made and once more when it is sent."""

from django.db.models import QuerySet

from merchant.access import Right, may, roles_with
from merchant.models import Membership, Merchant, User
from transactions.models import Export, Schedule


def colleagues(merchant: Merchant) -> QuerySet[Membership]:
    """Everybody who may export for the merchant, by address."""
    found = Membership.objects.filter(merchant=merchant, role__in=roles_with(Right.EXPORT))
    return found.filter(user__is_active=True).select_related("user").order_by("user__email")


def exporter(merchant: Merchant, user: User) -> Membership | None:
    """The person's membership, if there is one and it may export."""
    return next((each for each in colleagues(merchant) if each.user_id == user.pk), None)


def may_be_personal(schedule: Schedule, owner: Membership) -> bool:
    """Whether the file may say who the customers are: not if anybody may not know who makes or gets it."""
    named = set(schedule.recipients.values_list("user_id", flat=True))
    reading = [each for each in colleagues(schedule.merchant) if each.user_id in named]
    return all(may(each, Right.PERSONAL) for each in (owner, *reading))


def why_not(export: Export, user: User) -> str:
    """Why the person may not get the file now, as a sentence; "" if nothing speaks against it."""
    membership = exporter(export.merchant, user)
    if membership is None:
        return "Has left the team or may not export any more."
    if export.personal and not may(membership, Right.PERSONAL):
        return "May not see who the customers are any more, which this file says."
    return ""
