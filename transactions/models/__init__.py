"""The mirror of PaySuper's orders, how far it has got, exports made from it, and notes on it."""

from transactions.models.changed import StatusChange
from transactions.models.connected import Connection, MirroredProject
from transactions.models.erased import ErasedOrder
from transactions.models.exported import Export
from transactions.models.following import SyncState, Walk
from transactions.models.mirrored import (
    TO_FULFIL,
    TO_WITHDRAW,
    ExactDecoder,
    Fulfilment,
    Item,
    RawOrder,
    RowType,
    Status,
    Transaction,
)
from transactions.models.noted import Note
from transactions.models.saved import SavedView
from transactions.models.scheduled import Schedule, ScheduleMail, ScheduleRecipient, ScheduleRun
from transactions.models.totalled import DailyTotal, MonthlyTotal

__all__ = [
    "TO_FULFIL",
    "TO_WITHDRAW",
    "Connection",
    "DailyTotal",
    "ErasedOrder",
    "ExactDecoder",
    "Export",
    "Fulfilment",
    "Item",
    "MirroredProject",
    "MonthlyTotal",
    "Note",
    "RawOrder",
    "RowType",
    "SavedView",
    "Schedule",
    "ScheduleMail",
    "ScheduleRecipient",
    "ScheduleRun",
    "Status",
    "StatusChange",
    "SyncState",
    "Transaction",
    "Walk",
]
