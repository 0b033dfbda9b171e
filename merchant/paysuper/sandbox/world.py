"""All parts of one running sandbox."""

import re
import threading
from collections import Counter

from msgspec import Struct

from merchant.paysuper.sandbox import views, year_2019
from merchant.paysuper.sandbox.delivery import Delivery
from merchant.paysuper.sandbox.faults import ApiFaults, WebhookFaults
from merchant.paysuper.sandbox.orders import Order
from merchant.paysuper.sandbox.payments import Payments
from merchant.paysuper.sandbox.refunding import Refunds
from merchant.paysuper.sandbox.store import Store
from merchant.paysuper.sandbox.tokens import Tokens


class Tally:
    """Counts every API request that came in, so that a test can prove a POST was sent once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, method: str, path: str) -> None:
        """One request more."""
        with self._lock:
            self._counts[method, path] += 1

    def matching(self, path: str, method: str = "") -> list[dict[str, object]]:
        """The counts by method and path, for paths that the pattern finds."""
        with self._lock:
            return [
                {"method": verb, "path": found, "count": count}
                for (verb, found), count in self._counts.items()
                if re.search(path, found) and method in ("", verb)
            ]


class World(Struct, eq=False):
    """What a request can reach."""

    store: Store
    delivery: Delivery
    payments: Payments
    refunds: Refunds
    faults: ApiFaults
    webhook_faults: WebhookFaults
    tokens: Tokens
    tally: Tally
    is_2019: bool

    def shown(self, order: Order) -> dict[str, object]:
        """An order as the admin API of this generation shows it (contract §6, §18)."""
        state = self.store.projects[order.project_id]
        view = views.order_view(order, state)
        return year_2019.view(view, state.secret) if self.is_2019 else view

    def order_of(self, uuid: str, merchant_id: str) -> Order | None:
        """An order that this merchant can see; foreign ones do not exist (contract §5.6, §6)."""
        order = self.store.order_of(uuid, merchant_id)
        return None if order and self.is_2019 and not year_2019.is_visible(order) else order
