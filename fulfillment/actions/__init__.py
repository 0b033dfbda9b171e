"""What staff asks for, as a state machine: a row first, the call later, and never a second refund.

    awaiting_approval ──► not_approved
        │   │
        │   └─────────┐
        ▼             ▼
    requested ─────► undone
      ▲   │
      │   │ (not before the time for undoing has passed)
      │   ▼
      └─ sending ──► accepted ──► refunded
    not    │  │         └──────► declined
    sent   │  └──► refused
           └─────► unknown ──► accepted | refunded | declined | refused | needs_person

    needs_person ──► accepted | refunded | declined | refused: PaySuper tells after all, or a person closes it

Fulfilling is done as soon as it is asked for, under a lock of the order.

A refund above the limit of the role that asks begins at awaiting_approval, every other one at requested.
Every step is an UPDATE with the expected state in its WHERE, so that of two workers, of two people, and of
a worker that sends and a person who takes back, one does it. A lost answer is unknown; unknown is settled
by reading (contract §7.7), never by sending again.
"""

from fulfillment.actions.claims import blocker as claim_blocker, claim, current as current_claim, release
from fulfillment.actions.fulfilling import fulfil, fulfil_automatically, restore, unfulfil, withdraw
from fulfillment.actions.refunding import Changed, approve, close, reject, request_refund, undo
from fulfillment.actions.sending import run
from fulfillment.actions.settling import due, look_now, look_soon, settle
from fulfillment.actions.wishes import Blocked, allow

__all__ = [
    "Blocked",
    "Changed",
    "allow",
    "approve",
    "claim",
    "claim_blocker",
    "close",
    "current_claim",
    "due",
    "fulfil",
    "fulfil_automatically",
    "look_now",
    "look_soon",
    "reject",
    "release",
    "request_refund",
    "restore",
    "run",
    "settle",
    "undo",
    "unfulfil",
    "withdraw",
]
