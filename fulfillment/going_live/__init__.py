"""Whether everything stands ready for real payments: each point looks at our own tables."""

from collections.abc import Callable

from fulfillment.going_live import customers, people, reaching
from fulfillment.going_live.checks import Check
from merchant.models import Merchant

_CHECKS: tuple[Callable[[Merchant], Check], ...] = (
    reaching.connection,
    reaching.production,
    reaching.webhook_settings,
    reaching.signed_events,
    customers.test_payment,
    customers.receipts,
    customers.return_pages,
    people.two_owners,
    people.second_factor,
    people.backups,
)


def checks(merchant: Merchant) -> list[Check]:
    """Every point, in the order in which they are done."""
    return [check(merchant) for check in _CHECKS]


__all__ = ["Check", "checks"]
