"""How the installation runs: facts out of the database and Redis, for /metrics and for a page.

`facts` counts what waits and how long, `broker` looks into the queues, `metrics` says it in Prometheus'
words, `advice` says in ours what is not as it should be and what to do.
"""

from fulfillment.operations.advice import Worry, worries
from fulfillment.operations.broker import Queue, queues
from fulfillment.operations.facts import Mirror, Pile, Replica, copy, mirrors, piles
from fulfillment.operations.metrics import text

__all__ = [
    "Mirror",
    "Pile",
    "Queue",
    "Replica",
    "Worry",
    "copy",
    "mirrors",
    "piles",
    "queues",
    "text",
    "worries",
]
