"""The list that a card was opened from. Its query travels in the card's address as `in`."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from merchant.access import MemberRequest
from transactions import paging
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.timeouts import TooSlow, limited
from transactions.views.common import mine

NAME = "in"


@dataclass(frozen=True)
class Origin:
    """Where a card stands in the list: the ways back and to its neighbours; "" where there is none."""

    back: str
    previous: str
    next: str


def suffix(query: str) -> str:
    """What ends the address of a card, so that it knows the list with this query; "" for the plain list."""
    return f"?{urlencode({NAME: query})}" if query else ""


def origin(request: MemberRequest, entry: Transaction) -> Origin:
    """The place of an entry in the list that its card was opened from: the plain list if none is named."""
    query = _query(request, entry.pk)
    end, parameters = suffix(query), QueryDict(query)
    previous, after = _neighbours(request, parameters, entry)
    return Origin(
        back=f"{reverse('transactions:list')}{f'?{parameters.urlencode()}' if query else ''}#tx-{entry.pk}",
        previous=_address(previous, end),
        next=_address(after, end),
    )


def card_address(request: HttpRequest, uuid: UUID) -> str:
    """The card's address, in the list that it was opened from when the request comes from the card itself."""
    return _address(uuid, suffix(_query(request, uuid)))


def back_to_card(request: HttpRequest, uuid: UUID, part: str = "") -> HttpResponseRedirect:
    """To the card after something was done on it, still in its list; `part` is a section like "#timeline"."""
    return redirect(card_address(request, uuid) + part)


def _neighbours(
    request: MemberRequest, parameters: QueryDict, entry: Transaction
) -> tuple[UUID | None, UUID | None]:
    """Those in the list; none where the list takes too long: the card does not fall with it."""
    try:
        with limited():
            found = (
                TransactionFilter.of(request.membership, parameters).found if parameters else mine(request)
            )
            return paging.neighbours(found, parameters.get("sort", paging.DEFAULT_ORDER), entry)
    except TooSlow:
        return None, None


def _query(request: HttpRequest, uuid: UUID) -> str:
    """The query of the list: of the card that is asked for, or of the card on which something was pressed."""
    card = reverse("transactions:card", args=[uuid])
    if request.path == card:
        return request.GET.get(NAME, "")
    try:
        page = urlsplit(request.headers.get("HX-Current-URL") or request.headers.get("Referer", ""))
    except ValueError:
        return ""
    return QueryDict(page.query).get(NAME, "") if page.path == card else ""


def _address(uuid: UUID | None, end: str) -> str:
    return reverse("transactions:card", args=[uuid]) + end if uuid else ""
