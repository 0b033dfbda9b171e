"""Replacing an activation key as PaySuper's staff: a row first, the call later, and never a second key.

    requested ──► sending ──► accepted ──► done
      ▲   │ ▲        │  │                   ▲
      │   │ └─ not ──┘  └─► unknown ────────┤
      │   │    sent     │      │            │
      │   ▼             │      ▼            │
      └ refused ◄───────┴─ needs_person ────┘

Nothing about it can be undone: every call uses up a key and ends the chance of a refund (contract §8.1). So a
lost answer is unknown, and unknown is settled by reading the order's keys, never by asking again. It is done
when the mirror has the new key; in the same moment the customer's mail is written.
"""

from fulfillment.replacing.asking import ask, choices, close, look_soon
from fulfillment.replacing.sending import run
from fulfillment.replacing.settling import due, settle

__all__ = ["ask", "choices", "close", "due", "look_soon", "run", "settle"]
