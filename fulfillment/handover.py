"""What the card says about handing over."""

from dataclasses import dataclass

from fulfillment import actions, items, rules
from fulfillment.items import ItemState
from fulfillment.models import Action, Claim, ServerCall
from transactions.models import Fulfilment, Transaction


@dataclass(frozen=True)
class Handover:
    """How an order stands: its items when only some are out, who is on it, its call, and the last act."""

    given: list[ItemState]
    waiting: list[ItemState]
    claim: Claim | None
    call: ServerCall | None
    last: Action | None
    needs_withdrawal: bool


def of(entry: Transaction) -> Handover:
    """The handover of an order as it is now."""
    parts = items.states(entry) if entry.fulfilment == Fulfilment.PARTLY else []
    kinds = [Action.Kind.FULFIL, Action.Kind.UNFULFIL, Action.Kind.WITHDRAW, Action.Kind.RESTORE]
    return Handover(
        given=[each for each in parts if each.is_fulfilled],
        waiting=[each for each in parts if not each.is_fulfilled],
        claim=actions.current_claim(entry),
        call=entry.server_calls.defer("body").first(),
        last=entry.actions.filter(kind__in=kinds).select_related("requested_by").first(),
        needs_withdrawal=rules.needs_withdrawal(entry),
    )
