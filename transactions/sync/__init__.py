"""Brings PaySuper's orders into the mirror: first fill, increments, re-reads, and the proof of equality."""

from transactions.sync.drift import drift
from transactions.sync.projects import read_projects
from transactions.sync.runs import Progress, Report, refresh, rescan, sync
from transactions.sync.turns import AlreadyRunning

__all__ = ["AlreadyRunning", "Progress", "Report", "drift", "read_projects", "refresh", "rescan", "sync"]
