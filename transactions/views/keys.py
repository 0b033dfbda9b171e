"""Activation keys, shown one at a time to those who may see them."""

from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from merchant import audit
from merchant.access import MemberRequest, Right, requires
from merchant.reauthentication import ask_password, is_recent
from transactions import card
from transactions.views.card import card_entry
from transactions.views.origin import card_address


@require_POST
@never_cache
@requires(Right.KEYS)
def show_key(request: MemberRequest, uuid: UUID, position: int) -> HttpResponse:
    """The key of one item: a page of its own, or the part of the card for htmx. Audited without the key.

    In an old session the password is asked for first, and leads back to the card.
    """
    entry = card_entry(request, uuid)
    if not is_recent(request):
        return ask_password(request, card_address(request, uuid))
    key = card.key_of(entry.raw_order.document, position)
    if not key:
        raise Http404("This item has no activation key.")
    audit.record(entry.merchant, request.membership.user, "key.shown", entry.pk, position=position)
    template = "transactions/_key.html" if request.htmx else "transactions/key.html"  # type: ignore[attr-defined]
    item = entry.items.filter(position=position).first()
    context = {"transaction": entry, "item": item, "key": key, "position": position}
    context["back"] = card_address(request, uuid)
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response
