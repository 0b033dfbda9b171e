"""Saved views: who sees and changes them, and what of a query is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from merchant import audit
from merchant.access import Right, may
from merchant.models import Membership
from transactions.filters import TransactionFilter, choices
from transactions.models import SavedView
from transactions.models.saved import LONGEST_NAME, LONGEST_QUERY

MOST = 50
_ORDER = "sort"


class NotSaved(Exception):
    """Why a view cannot be kept, as a sentence for the person."""


@dataclass(frozen=True)
class Link:
    """A saved view as the list shows it."""

    pk: int
    owner_id: int
    name: str
    query: str
    shared: bool


def visible_to(membership: Membership) -> QuerySet[SavedView]:
    """The person's own views of this merchant and the shared ones."""
    mine_or_shared = Q(owner=membership.user_id) | Q(shared=True)
    return SavedView.objects.filter(mine_or_shared, merchant=membership.merchant_id).order_by("name", "pk")


def links(membership: Membership, known: choices.Choices | None = None) -> Sequence[Link]:
    """What `visible_to` finds, the shared ones last, remembered for a minute: it stands above every list."""
    found = [Link(*row) for row in (known or choices.of(membership.merchant)).views]
    return [link for link in found if link.shared or link.owner_id == membership.user_id]


def default(seen: Sequence[Link], wanted: int | None) -> Link | None:
    """The view that a person's list opens with, as long as it is among those that the person sees."""
    return next((link for link in seen if link.pk == wanted), None)


def may_change(view: SavedView | Link, membership: Membership) -> bool:
    """Shared views belong to all who may share, so that nobody's leaving leaves them behind."""
    return may(membership, Right.SHARE_VIEWS) if view.shared else view.owner_id == membership.user_id


def comparable(query: QueryDict) -> str:
    """What of a list's query makes the view: filters and order, without blanks and always in one order."""
    names = {*TransactionFilter.base_filters, _ORDER}
    kept = QueryDict(mutable=True)
    for name in sorted(names & set(query)):
        kept.setlist(name, sorted(value for value in query.getlist(name) if value.strip()))
    return kept.urlencode()


def save(
    membership: Membership, name: str, query: str, *, shared: bool, view: SavedView | None = None
) -> SavedView:
    """Keep a new view, or a known one under another name or for other people. Raises NotSaved."""
    view = view or _new(membership, query)
    before, named = (view.name, view.shared), _named(name)
    view.name, view.shared = named, shared
    try:
        with transaction.atomic():
            view.save()
            if shared or before[1]:  # what only the person sees is nobody else's business
                event = "view.shared" if shared else "view.unshared"
                audit.record(membership.merchant, membership.user, event, view.pk, name=view.name)
    except IntegrityError:
        view.name, view.shared = before
        whose = "The team has" if shared else "You have"
        raise NotSaved(f"{whose} a view of this name already.") from None
    _forget(membership)
    return view


def delete(membership: Membership, view: SavedView) -> None:
    """Delete the view, for everybody who sees it."""
    with transaction.atomic():
        if view.shared:
            audit.record(membership.merchant, membership.user, "view.deleted", view.pk, name=view.name)
        view.delete()
    _forget(membership)


def _new(membership: Membership, query: str) -> SavedView:
    asked = QueryDict(query)
    if not TransactionFilter.of(membership, asked).is_valid():
        raise NotSaved("This view cannot be saved: correct its filters first.")
    kept = comparable(asked)
    if not kept:
        raise NotSaved("Set a filter or an order first: a view of everything is there already.")
    if len(kept) > LONGEST_QUERY:
        raise NotSaved("This view cannot be saved: it has too many filters.")
    if SavedView.objects.filter(merchant=membership.merchant, owner=membership.user).count() >= MOST:
        raise NotSaved(f"You have {MOST} views: delete one that you do not use any more.")
    return SavedView(merchant=membership.merchant, owner=membership.user, query=kept)


def _named(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise NotSaved(f"Give the view a name of up to {LONGEST_NAME} characters.")
    return name


def _forget(membership: Membership) -> None:
    transaction.on_commit(lambda: choices.forget(membership.merchant_id))
