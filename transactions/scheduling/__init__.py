"""Schedules: exports that are made by the clock and sent to colleagues by e-mail."""

from transactions.scheduling.keeping import NotKept, delete, pause, resume, save
from transactions.scheduling.mailing import ready_mails, send, send_again, waiting_mails
from transactions.scheduling.running import NotAllowed, begin_due, run_now
from transactions.scheduling.trouble import tell as tell_of_trouble

__all__ = [
    "NotAllowed",
    "NotKept",
    "begin_due",
    "delete",
    "pause",
    "ready_mails",
    "resume",
    "run_now",
    "save",
    "send",
    "send_again",
    "tell_of_trouble",
    "waiting_mails",
]
