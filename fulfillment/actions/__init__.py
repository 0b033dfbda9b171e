"""What staff asks for, as a state machine: a row first, the call later, and never a second refund.

    requested ──► sending ──► accepted ──► refunded
        ▲            │  │         └──────► declined
        └─ not sent ─┘  ├──► refused
                        └──► unknown ──► accepted | refunded | declined | refused | needs a person

Every step is an UPDATE with the expected state in its WHERE, so that of two workers one does it. A lost
answer is unknown; unknown is settled by reading (contract §7.7), never by sending again.
"""

from fulfillment.actions.sending import run
from fulfillment.actions.settling import due, look_now, settle
from fulfillment.actions.wishes import Blocked, close, fulfil, request_refund, unfulfil

__all__ = ["Blocked", "close", "due", "fulfil", "look_now", "request_refund", "run", "settle", "unfulfil"]
