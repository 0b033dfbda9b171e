"""What is under way with an order."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from fulfillment.views.asking import transaction_of
from merchant.access import MemberRequest, Right, requires


@require_safe
@requires(Right.VIEW)
def state(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """The part of the card that follows what is under way."""
    response = render(request, "fulfillment/_state.html", {"transaction": transaction_of(request, uuid)})
    patch_vary_headers(response, ["HX-Request"])
    return response
