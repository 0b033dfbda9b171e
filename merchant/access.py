"""Who may see and do what: roles → rights in one table, and look-ups that carry the permission."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import Resolver404, resolve

from merchant.models import Membership, Role


class Right(models.TextChoices):
    """What can be allowed."""

    VIEW = "view", "see transactions"
    FULFIL = "fulfil", "fulfil orders"
    MAIL = "mail", "send mails to customers"
    REFUND = "refund", "ask for refunds"
    APPROVE = "approve", "approve refunds"
    REFUND_RULES = "refund_rules", "change the rules for refunds"
    EXPORT = "export", "export lists"
    PERSONAL = "personal", "see personal data"
    KEYS = "keys", "see activation keys"
    REPLACE_KEYS = "replace_keys", "replace activation keys"
    NOTES = "notes", "write notes"
    RAW = "raw", "see raw records"
    SHARE_VIEWS = "share_views", "share views of the list"
    WEBHOOKS = "webhooks", "see the webhook log"
    PROJECTS = "projects", "see projects"
    TEST = "test", "send test webhooks and make test payments"
    MANAGE_WEBHOOKS = "manage_webhooks", "set webhooks up"
    TEAM = "team", "see the team"
    PEOPLE = "people", "invite people and change their roles"
    SETTINGS = "settings", "see the connection"
    OPERATIONS = "operations", "see how the installation runs"
    AUDIT = "audit", "read the audit"
    PRIVACY = "privacy", "set how long data is kept, and erase customers"


# Contract §4, and stricter where half a right helps nobody: PaySuper lets view only ask for an export
# that it may not fetch. A replaced key is one less in the stock, which owners and developers look after.
RIGHTS: dict[str, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.DEVELOPER: frozenset(Right)
    - {Right.PEOPLE, Right.REFUND_RULES, Right.AUDIT, Right.OPERATIONS, Right.PRIVACY},
    Role.ACCOUNTING: frozenset(
        {Right.VIEW, Right.EXPORT, Right.NOTES, Right.SHARE_VIEWS, Right.PROJECTS, Right.TEST, Right.TEAM}
    ),
    Role.SUPPORT: frozenset(
        {
            Right.VIEW,
            Right.FULFIL,
            Right.MAIL,
            Right.REFUND,
            Right.EXPORT,
            Right.PERSONAL,
            Right.KEYS,
            Right.NOTES,
            Right.SHARE_VIEWS,
            Right.WEBHOOKS,
            Right.PROJECTS,
            Right.TEST,
            Right.TEAM,
        }
    ),
    Role.VIEW_ONLY: frozenset({Right.VIEW, Right.PROJECTS}),
}


class MemberRequest(HttpRequest):
    """A request of somebody who works for a merchant right now."""

    membership: Membership
    # All that this person may work for; `membership` is the one chosen.
    memberships: Sequence[Membership]


def roles_with(right: Right) -> list[Role]:
    """The roles that have the right, as PaySuper lists them."""
    return [role for role in Role if right in RIGHTS[role]]


def may(membership: Membership, right: Right) -> bool:
    """Whether this member has the right. An unknown role has none."""
    return right in RIGHTS.get(membership.role, frozenset())


View = Callable[..., HttpResponseBase]
Row = TypeVar("Row", bound=models.Model)


def requires(right: Right) -> Callable[[View], View]:
    """A view that only members with this right reach: 403 for everybody else."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: MemberRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.membership is None or not may(request.membership, right):
                raise PermissionDenied(f"Your role does not allow you to {right.label}.")
            return view(request, *args, **kwargs)

        guarded.right = right  # type: ignore[attr-defined]
        return guarded

    return decorate


def reaches(membership: Membership, address: str) -> bool:
    """Whether this member may open the page at an address of ours. What is not ours is open to everybody."""
    try:
        view = resolve(urlsplit(address).path).func
    except Resolver404:
        return True
    right: Right | None = getattr(view, "right", None)
    return right is None or may(membership, right)


def get_or_404(queryset: models.QuerySet[Row], membership: Membership, **lookup: Any) -> Row:
    """One row of the member's merchant; what belongs to another merchant does not exist (404)."""
    return get_object_or_404(queryset, merchant=membership.merchant_id, **lookup)
