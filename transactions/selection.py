"""Which rows of the list somebody has selected: those that are ticked, or all that its filters find."""

from uuid import UUID

from django.http import Http404, QueryDict

from merchant.models import Membership
from transactions import paging
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.timeouts import TooSlow, limited

LIMIT = 1_000


class BadSelection(ValueError):
    """Nothing can be done with this selection; the message is for the person."""


def selected(membership: Membership, posted: QueryDict) -> list[UUID]:
    """The selected transactions, each once, in the order of the list.

    `row` names a ticked row (repeatable), `page` adds all of `page_rows`, `everything` means all that `query`
    finds. Raises BadSelection for none, too many or unreadable ones, and Http404 for one that the merchant
    does not have.
    """
    if posted.get("everything"):
        return _limited(_found(membership, QueryDict(posted.get("query", ""))))
    named = posted.getlist("row")
    if posted.get("page"):
        named = [*posted.get("page_rows", "").split(), *named]
    uuids = _limited(list(dict.fromkeys(_uuid(text) for text in named)))
    if Transaction.objects.filter(merchant=membership.merchant_id, pk__in=uuids).count() != len(uuids):
        raise Http404("There is no such transaction.")
    return uuids


def _found(membership: Membership, query: QueryDict) -> list[UUID]:
    filters = TransactionFilter.of(membership, query)
    if not filters.is_valid():
        raise BadSelection("These filters make no sense: correct them first.")
    rows = paging.ordered(filters.found, query.get("sort", paging.DEFAULT_ORDER))
    try:
        with limited():
            return list(rows.values_list("pk", flat=True)[: LIMIT + 1])
    except TooSlow as error:
        raise BadSelection("These are too slow to find. Narrow the period or add a filter.") from error


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise BadSelection("This selection cannot be read. Select the rows again.") from error


def _limited(uuids: list[UUID]) -> list[UUID]:
    if not uuids:
        raise BadSelection("Select at least one row first.")
    if len(uuids) > LIMIT:
        raise BadSelection(f"At most {LIMIT:,} rows can be selected together. Narrow the filters.")
    return uuids
