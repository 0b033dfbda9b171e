"""The desk for everything in this folder."""

from tests.fulfillment.desk import desk, hurried, order

__all__ = ["desk", "hurried", "order"]
