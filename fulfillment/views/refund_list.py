"""The page of refunds that wait for somebody or something, and of those that have ended."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fulfillment.models import Action
from merchant.access import MemberRequest, Right, requires

# More than anybody reads; the rest comes up when these are done.
_SHOWN = 100
_ENDED_SHOWN = 50
State = Action.State


@dataclass(frozen=True)
class Part:
    """A titled part of the page. `name` also marks it in the address."""

    name: str
    title: str
    lead: str
    actions: list[Action]
    more: bool


@require_safe
@requires(Right.VIEW)
def refund_list(request: MemberRequest) -> HttpResponse:
    """What waits for approval, what needs a person, what is under way, and what ended lately."""
    mine = Action.objects.filter(merchant=request.membership.merchant, kind=Action.Kind.REFUND)
    mine = mine.select_related("transaction", "requested_by", "decided_by")
    waiting = mine.order_by("requested_at")
    parts = [
        _part(
            "approval",
            "Waiting for approval",
            "Above the limit of whoever asked: nothing is sent before a second person says yes.",
            waiting.filter(state=State.AWAITING_APPROVAL),
        ),
        _part(
            "person",
            "Needs a person",
            "We could not find out what became of these. We keep looking; look them up at PaySuper, or ask "
            "its support, before anything else is tried.",
            waiting.filter(state=State.NEEDS_PERSON),
        ),
        _part(
            "under-way",
            "Under way",
            "Nobody need do anything.",
            waiting.filter(state__in=set(Action.UNDER_WAY) - {State.NEEDS_PERSON}),
        ),
        _part(
            "ended",
            "Ended lately",
            "",
            mine.exclude(state__in=Action.OPEN).order_by("-changed_at"),
            _ENDED_SHOWN,
        ),
    ]
    is_empty = not any(part.actions for part in parts)
    context = {"parts": [] if is_empty else parts, "is_empty": is_empty}
    return render(request, "fulfillment/refunds.html", context)


def _part(name: str, title: str, lead: str, found: QuerySet[Action], shown: int = _SHOWN) -> Part:
    rows = list(found[: shown + 1])
    return Part(name, title, lead, rows[:shown], more=len(rows) > shown)
