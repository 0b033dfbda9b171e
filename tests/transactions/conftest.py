"""What several tests in this folder begin with."""

from tests.transactions.cards import as_role
from tests.transactions.filtering import filled
from tests.transactions.syncing import quick

__all__ = ["as_role", "filled", "quick"]
