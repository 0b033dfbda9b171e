"""Fulfilling, taking it back, and withdrawing what was handed over."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from fulfillment import actions, items, rules
from fulfillment.forms import FulfilForm, UnfulfilForm, WithdrawForm
from fulfillment.tasks import ring_for_mails
from fulfillment.views.asking import ask_first, transaction_of
from merchant.access import MemberRequest, Right, requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.FULFIL)
def fulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Note that the goods have been handed over, whole or item by item."""
    entry, member = transaction_of(request, uuid), request.membership
    parts = items.states(entry)
    waiting = [each for each in parts if not each.is_fulfilled]
    form = FulfilForm(waiting, _sent(request), request.GET.get("back", ""), several=len(parts) > 1)

    def ask(values: dict[str, Any]) -> str:
        actions.fulfil(entry, member, values["note"], reference=values["reference"], chosen=form.chosen)
        ring_for_mails(entry.pk)
        entry.refresh_from_db(fields=["fulfilment"])
        return "The order is fulfilled." if entry.fulfilment == "fulfilled" else "These items are fulfilled."

    blocker = rules.fulfil_blocker(entry, member) or actions.claim_blocker(entry, member.user)
    return ask_first(request, entry, "fulfil", form, ask, blocker)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.FULFIL)
def unfulfil(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Take a fulfilment back, whole or item by item."""
    entry, member = transaction_of(request, uuid), request.membership
    parts = items.states(entry)
    given = [each for each in parts if each.is_fulfilled]
    form = UnfulfilForm(given, _sent(request), request.GET.get("back", ""), several=len(parts) > 1)

    def ask(values: dict[str, Any]) -> str:
        actions.unfulfil(entry, member, values["note"], chosen=form.chosen)
        return "The fulfilment is undone."

    return ask_first(request, entry, "unfulfil", form, ask, rules.unfulfil_blocker(entry, member))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.FULFIL)
def withdraw(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Note that goods were taken back after their money went back."""
    entry, member = transaction_of(request, uuid), request.membership
    form = WithdrawForm(_sent(request), initial={"back": request.GET.get("back", "")})

    def ask(values: dict[str, Any]) -> str:
        actions.withdraw(entry, member, values["note"])
        return "The fulfilment is withdrawn."

    return ask_first(request, entry, "withdraw", form, ask, rules.withdraw_blocker(entry, member))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Right.FULFIL)
def restore(request: MemberRequest, uuid: UUID) -> HttpResponse:
    """Take a withdrawal back."""
    entry, member = transaction_of(request, uuid), request.membership
    form = WithdrawForm(_sent(request))

    def ask(values: dict[str, Any]) -> str:
        actions.restore(entry, member, values["note"])
        return "The withdrawal is undone."

    return ask_first(request, entry, "restore", form, ask, rules.restore_blocker(entry, member))


def _sent(request: MemberRequest) -> Any:
    return request.POST if request.method == "POST" else None
