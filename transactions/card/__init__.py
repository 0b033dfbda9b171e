"""What the transaction card shows, read from the mirrored document (contract §6)."""

from transactions.card.accounting import Accounting, accounting
from transactions.card.facts import Fact, Section
from transactions.card.products import Product, key_of, products
from transactions.card.raw import readable
from transactions.card.sections import declined, details, others

__all__ = [
    "Accounting",
    "Fact",
    "Product",
    "Section",
    "accounting",
    "declined",
    "details",
    "key_of",
    "others",
    "products",
    "readable",
]
