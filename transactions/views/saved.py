"""Saved views of the list."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from merchant.access import MemberRequest, Right, get_or_404, may, requires
from transactions import preferences, saving
from transactions.models import SavedView
from transactions.views.common import list_with


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.VIEW)
def saved_views(request: MemberRequest) -> HttpResponse:
    """The person's views and those of the team; a POST saves the posted query as a new one."""
    if request.method == "POST":
        return _save_new(request)
    member = request.membership
    visible = saving.visible_to(member).select_related("owner")
    context = {
        "views": [(view, saving.may_change(view, member)) for view in visible],
        "default": preferences.of(member).default_view,
    }
    return render(request, "transactions/views.html", context)


@require_POST
@requires(Right.VIEW)
def change_view(request: MemberRequest, view_id: int) -> HttpResponse:
    """Give a view another name, or share it or not."""
    view, shared = _view(request, view_id), "shared" in request.POST
    _must_be_allowed(request, view, shared=shared)
    try:
        saving.save(request.membership, request.POST.get("name", ""), "", shared=shared, view=view)
    except saving.NotSaved as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"The view “{view}” is saved.")
    return redirect("transactions:views")


@require_POST
@requires(Right.VIEW)
def default_view(request: MemberRequest, view_id: int) -> HttpResponse:
    """Open the person's list with this view; with "no", with everything again."""
    view, wanted = _view(request, view_id), request.POST.get("default") != "no"
    preferences.keep(request.membership, {"default_view": view.pk if wanted else None})
    what = f"the view “{view}”" if wanted else "all transactions"
    messages.success(request, f"Your list opens with {what} from now on.")
    return redirect("transactions:views")


@require_POST
@requires(Right.VIEW)
def delete_view(request: MemberRequest, view_id: int) -> HttpResponse:
    """Delete a view."""
    view = _view(request, view_id)
    _must_be_allowed(request, view)
    saving.delete(request.membership, view)
    messages.success(request, f"The view “{view}” is deleted.")
    return redirect("transactions:views")


def _save_new(request: MemberRequest) -> HttpResponse:
    query, shared = request.POST.get("query", ""), "shared" in request.POST
    _must_be_allowed(request, None, shared=shared)
    try:
        view = saving.save(request.membership, request.POST.get("name", ""), query, shared=shared)
    except saving.NotSaved as why:
        messages.error(request, str(why))
        return list_with(query)
    if "default" in request.POST:
        preferences.keep(request.membership, {"default_view": view.pk})
    messages.success(request, f"The view “{view}” is saved.")
    return list_with(view.query)


def _view(request: MemberRequest, view_id: int) -> SavedView:
    """A view that the person can see: 404 for those of others and of other merchants."""
    return get_or_404(saving.visible_to(request.membership), request.membership, pk=view_id)


def _must_be_allowed(request: MemberRequest, view: SavedView | None, *, shared: bool = False) -> None:
    if view and not saving.may_change(view, request.membership):
        raise PermissionDenied("Your role does not allow you to change views of the team.")
    if shared and not may(request.membership, Right.SHARE_VIEWS):
        raise PermissionDenied(f"Your role does not allow you to {Right.SHARE_VIEWS.label}.")
