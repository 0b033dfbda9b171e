"""The list that a card was opened from. Its query travels in the card's address as `in`."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from merchant.access import MemberRequest
from transactions import paging
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.views.common import mine

NAME = "in"


@dataclass(frozen=True)
class Origin:
    """Where a card stands in the list: the ways back, to its neighbours, and what its forms carry along."""

    back: str
    previous: str
    next: str
    suffix: str


def suffix(query: str) -> str:
    """What ends the address of a card, so that it knows the list with this query; "" for the plain list."""
    return f"?{urlencode({NAME: query})}" if query else ""


def origin(request: MemberRequest, entry: Transaction) -> Origin:
    """The place of an entry in the list that its card was opened from: the plain list if none is named."""
    query = request.GET.get(NAME, "")
    end, parameters = suffix(query), QueryDict(query)
    found = TransactionFilter.of(request.membership, parameters).found if query else mine(request)
    previous, after = paging.neighbours(found, parameters.get("sort", paging.DEFAULT_ORDER), entry)
    return Origin(
        back=f"{reverse('transactions:list')}{f'?{parameters.urlencode()}' if query else ''}#tx-{entry.pk}",
        previous=_address(previous, end),
        next=_address(after, end),
        suffix=end,
    )


def _address(uuid: UUID | None, end: str) -> str:
    return reverse("transactions:card", args=[uuid]) + end if uuid else ""
