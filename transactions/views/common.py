"""What several pages need: the state of the sync, and addresses of the list."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from merchant import replica
from merchant.access import MemberRequest, Right, may
from transactions import recipes
from transactions.models import Export, SyncState, Transaction


def mine(request: MemberRequest) -> QuerySet[Transaction]:
    """The transactions of the member's merchant."""
    return Transaction.objects.filter(merchant=request.membership.merchant)


def sync_state(request: MemberRequest) -> SyncState | None:
    """How the mirror stands, or None before the first sync."""
    merchant = request.membership.merchant
    if replica.is_read():
        # A copy's rows are as old as the copy's state says.
        return SyncState.objects.filter(merchant=merchant).first()
    state: SyncState | None = getattr(merchant, "sync_state", None)
    return state  # read together with the membership


def are_of_our_days(request: MemberRequest, state: SyncState | None) -> bool:
    """Whether the daily totals are of the days that the merchant has now."""
    return state is not None and state.totals_zone == request.membership.merchant.time_zone


def without(query: QueryDict, name: str) -> QueryDict:
    """The query without one of its names."""
    rest = query.copy()
    rest.pop(name, None)
    return rest


def list_with(query: str) -> HttpResponse:
    """To the first page of the list with this query, which came from a form."""
    kept = without(QueryDict(query), "cursor").urlencode()
    return redirect(f"{reverse('transactions:list')}?{kept}" if kept else "transactions:list")


def export_menu(request: MemberRequest) -> dict[str, Any]:
    """What the menu Export offers the person."""
    return {
        "may_export": may(request.membership, Right.EXPORT),
        # In one file each; above the ceiling a PDF is one per month instead.
        "short_formats": [each for each in Export.Format if each != Export.Format.MONTHS],
        "pdf_ceiling": settings.EXPORT_PDF_CEILING,
        "export_choice": recipes.last_choice(request.membership.list_preferences),
        "recipes": recipes.kept_by(request.membership),
        "dialects": recipes.DIALECTS_IN_WORDS.items(),
    }
