"""The desk for everything in this folder, and what several tests begin with."""

from tests.fulfillment.approvals import dan, waiting
from tests.fulfillment.desk import desk, hurried, order
from tests.fulfillment.selections import orders
from tests.fulfillment.webhook_events import bells

__all__ = ["bells", "dan", "desk", "hurried", "order", "orders", "waiting"]
