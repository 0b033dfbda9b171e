"""What every test in this folder begins with."""

from tests.transactions.export_requests import filled, folder

__all__ = ["filled", "folder"]
