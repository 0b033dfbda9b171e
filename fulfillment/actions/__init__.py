"""What staff asks for, as a state machine: a row first, the call later, and never a second refund.

    requested ──► sending ──► accepted ──► refunded
        ▲            │  │         └──────► declined
        └─ not sent ─┘  ├──► refused
                        └──► unknown ──► accepted | refunded | declined | refused | needs a person

Fulfilling is done as soon as it is asked for, under a lock of the order.

Every step of a refund is an UPDATE with the expected state in its WHERE, so that of two workers one does
it. A lost answer is unknown; unknown is settled by reading (contract §7.7), never by sending again.
"""

from fulfillment.actions.claims import blocker as claim_blocker, claim, current as current_claim, release
from fulfillment.actions.fulfilling import fulfil, fulfil_automatically, restore, unfulfil, withdraw
from fulfillment.actions.refunding import close, request_refund
from fulfillment.actions.sending import run
from fulfillment.actions.settling import due, look_now, settle
from fulfillment.actions.wishes import Blocked, allow

__all__ = [
    "Blocked",
    "allow",
    "claim",
    "claim_blocker",
    "close",
    "current_claim",
    "due",
    "fulfil",
    "fulfil_automatically",
    "look_now",
    "release",
    "request_refund",
    "restore",
    "run",
    "settle",
    "unfulfil",
    "withdraw",
]
