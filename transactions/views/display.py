"""How a person wants the list: columns and their order, density, rows a page."""

from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from merchant.access import MemberRequest, Right, requires
from transactions import preferences, tables
from transactions.views.common import list_with, without

_STEPS = {"up": -1, "down": 1}


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.VIEW)
def display(request: MemberRequest) -> HttpResponse:
    """Choose the columns; a POST keeps what it names and leads back to the list that it came from.

    A POST with "up" or "down" keeps nothing: it shows the choice with that column moved by one place.
    """
    query = (request.POST or request.GET).get("query", "")
    wanted, changes = preferences.of(request.membership), _changes(request.POST)
    if request.method != "POST":
        return _ask(request, query, wanted.order, wanted.shown)
    if any(name in request.POST for name in _STEPS):
        # Both are None where the form asks for the first columns as well.
        order, shown = changes.get("order") or wanted.order, changes.get("shown") or wanted.shown
        return _ask(request, query, order, shown)
    preferences.keep(request.membership, changes)
    if "order" in changes:
        messages.success(request, "Your columns are kept.")
    # A number of rows in the address would beat the one that has just been chosen.
    return list_with(without(QueryDict(query), "size").urlencode() if "size" in request.POST else query)


def _ask(request: MemberRequest, query: str, order: Sequence[str], shown: Collection[str]) -> HttpResponse:
    columns = [(name, tables.COLUMNS[name].title, name in shown) for name in order]
    context = {"columns": columns, "link": tables.LINK, "query": query}
    template = "transactions/_display.html" if request.htmx else "transactions/display.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _changes(posted: QueryDict) -> dict[str, Any]:
    """What the form asks for; what makes no sense changes nothing."""
    changes: dict[str, Any] = {}
    if (size := str(posted.get("size"))) in map(str, preferences.PAGE_SIZES):
        changes["page_size"] = int(size)
    if posted.get("density") in ("compact", "comfortable"):
        changes["compact"] = posted["density"] == "compact"
    if "reset" in posted:
        return changes | {"order": None, "shown": None}
    if "order" in posted:
        order = preferences.complete_order(posted.getlist("order"))
        for name, step in _STEPS.items():
            order = preferences.moved(order, posted.get(name, ""), step)
        changes |= {"order": order, "shown": sorted(preferences.shown_columns(posted.getlist("column")))}
    return changes
