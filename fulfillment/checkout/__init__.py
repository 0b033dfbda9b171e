"""Trying the checkout at a sandbox: making a payment, and watching it arrive step by step."""

from fulfillment.checkout.cards import CARDS, CURRENCIES, Card
from fulfillment.checkout.paying import ask, due, send
from fulfillment.checkout.steps import Step, is_awaited, steps

__all__ = ["CARDS", "CURRENCIES", "Card", "Step", "ask", "due", "is_awaited", "send", "steps"]
