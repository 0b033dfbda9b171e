"""Questions before an act: a page or a dialog with a form, and what follows when it is sent."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from fulfillment import actions
from merchant.access import MemberRequest, get_or_404
from transactions.models import Transaction
from transactions.views.origin import back_to_card


def ask_first(
    request: MemberRequest,
    entry: Transaction,
    name: str,
    form: forms.Form,
    ask: Callable[[dict[str, Any]], str],
    blocker: str,
) -> HttpResponse:
    """Show the form; when it is sent and sensible, ask and return to the queue, if that is where the person
    came from, or to the card.
    """
    if request.method == "POST" and (blocker or form.is_valid()):
        try:
            actions.allow(blocker)
            messages.success(request, ask(form.cleaned_data))
        except actions.Blocked as blocked:
            messages.error(request, str(blocked))
        return card_again(request, entry)
    return question(request, name, {"transaction": entry, "form": form, "blocker": blocker})


def question(request: MemberRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """The form as a page, or as a part of one for htmx."""
    template = f"fulfillment/_{name}.html" if request.htmx else f"fulfillment/{name}.html"  # type: ignore[attr-defined]
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def back_to_queue(query: str) -> HttpResponseRedirect | None:
    """The queue with the query that a form was opened from ("?…"), or None when it was opened elsewhere."""
    if not query.startswith("?"):
        return None
    return HttpResponseRedirect(f"{reverse('fulfillment:queue')}?{QueryDict(query[1:]).urlencode()}")


def card_again(request: MemberRequest, entry: Transaction) -> HttpResponse:
    """Back to the queue, if the person came from there, or to the card in its list."""
    place = back_to_queue(request.POST.get("back", "")) or back_to_card(request, entry.pk)
    return HttpResponseClientRedirect(place.url) if request.htmx else place  # type: ignore[attr-defined]


def note_of(request: MemberRequest) -> str:
    """What a person has typed into a single line beside a button. PostgreSQL holds no NUL in a text."""
    return request.POST.get("note", "").replace("\0", "")[:200]


def transaction_of(request: MemberRequest, uuid: UUID) -> Transaction:
    """The transaction of the member's merchant; 404 for any other."""
    queryset = Transaction.objects.select_related("project", "merchant")
    return get_or_404(queryset, request.membership, pk=uuid)
