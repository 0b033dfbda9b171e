"""The announcement of new payments above the list."""

from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant.access import MemberRequest, Right, requires
from transactions import newer
from transactions.filters import TransactionFilter
from transactions.timeouts import TooSlow, limited
from transactions.views.common import without


@require_safe
@requires(Right.VIEW)
def newer_count(request: MemberRequest) -> HttpResponse:
    """How many rows of this list are newer than "seen"; 204 when it knows that or it takes too long."""
    try:
        with limited():
            found = TransactionFilter.of(request.membership, request.GET).found
            number = newer.count(found, request.GET.get("seen", ""))
    except TooSlow:
        return HttpResponse(status=204)
    except (ValueError, OverflowError):
        return HttpResponseBadRequest("This is no place in the list.")
    if str(number) == request.GET.get("known", "0"):
        return HttpResponse(status=204)
    query = without(without(request.GET, "seen"), "known").urlencode()
    shown = f"over {newer.LIMIT}" if number > newer.LIMIT else str(number)
    return render(request, "transactions/_newer.html", {"number": number, "shown": shown, "query": query})
