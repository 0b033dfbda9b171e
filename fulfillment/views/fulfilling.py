"""Fulfilling, and taking it back."""

from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from fulfillment import actions, rules
from fulfillment.forms import FulfilForm, UnfulfilForm
from fulfillment.views.asking import ask_first, transaction_of
from merchant.access import MemberRequest, Right, requires


@require_http_methods(["GET", "POST"])
@requires(Right.FULFIL)
def fulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Note that the goods have been handed over."""
    entry = transaction_of(request, uuid)
    form = FulfilForm(request.POST) if request.method == "POST" else FulfilForm()

    def ask(values: dict[str, str]) -> str:
        actions.fulfil(entry, request.membership, values["note"])
        return "The order is fulfilled."

    return ask_first(request, entry, "fulfil", form, ask, rules.fulfil_blocker(entry, request.membership))


@require_http_methods(["GET", "POST"])
@requires(Right.FULFIL)
def unfulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Take a fulfilment back."""
    entry = transaction_of(request, uuid)
    form = UnfulfilForm(request.POST) if request.method == "POST" else UnfulfilForm()

    def ask(values: dict[str, str]) -> str:
        actions.unfulfil(entry, request.membership, values["note"])
        return "The fulfilment is undone."

    return ask_first(request, entry, "unfulfil", form, ask, rules.unfulfil_blocker(entry, request.membership))
