"""The same people and things as in the table of addresses."""

from tests.test_access import exports_folder, order, people, things

__all__ = ["exports_folder", "order", "people", "things"]
