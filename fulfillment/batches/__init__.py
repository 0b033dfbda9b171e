"""Many rows at once: previewed, confirmed, then done one by one, each with all the guarantees of an action.

A row's action and the note that the row is done are written in one database transaction: whatever dies in
between, no row is done twice and none is forgotten.
"""

from fulfillment.batches.previewing import confirm, expire, prepare
from fulfillment.batches.results import Progress, progress_of, sums, write_results
from fulfillment.batches.running import due, has_more, run

__all__ = [
    "Progress",
    "confirm",
    "due",
    "expire",
    "has_more",
    "prepare",
    "progress_of",
    "run",
    "sums",
    "write_results",
]
