"""The mirror of PaySuper's orders, how far it has got, and the exports made from it."""

from transactions.models.exported import Export
from transactions.models.following import SyncState, Walk
from transactions.models.mirrored import (
    TO_FULFIL,
    TO_WITHDRAW,
    DailyTotal,
    ExactDecoder,
    Fulfilment,
    Item,
    RawOrder,
    RowType,
    Status,
    Transaction,
)
from transactions.models.saved import SavedView

__all__ = [
    "TO_FULFIL",
    "TO_WITHDRAW",
    "DailyTotal",
    "ExactDecoder",
    "Export",
    "Fulfilment",
    "Item",
    "RawOrder",
    "RowType",
    "SavedView",
    "Status",
    "SyncState",
    "Transaction",
    "Walk",
]
