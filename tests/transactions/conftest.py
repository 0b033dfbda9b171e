"""What several tests in this folder begin with."""

from tests.transactions.filtering import filled
from tests.transactions.syncing import quick

__all__ = ["filled", "quick"]
