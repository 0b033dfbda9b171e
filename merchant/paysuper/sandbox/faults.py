"""Faults on order: of the API, of the next refunds, of webhooks, each for a number of times."""

import random
import re
import threading
from typing import Literal

from msgspec import Struct


class Fault(Struct, kw_only=True):
    """One fault of the API; `count` null means until cleared."""

    kind: Literal["latency", "status", "reset", "lost_answer", "truncated", "no_race_guard"]
    method: str = ""
    path: str = ""
    status: int = 503
    seconds: float = 0.1
    retry_after: str | int | None = None
    body: str | None = None
    count: int | None = None
    probability: float = 1.0


class WebhookFault(Struct, kw_only=True):
    """One fault of the next `count` webhooks."""

    kind: Literal["duplicate", "delay", "wrong_signature", "drop", "swap"]
    count: int | None = 1
    seconds: float = 0


class RefundOutcome(Struct, kw_only=True):
    """What becomes of the next `count` refunds; null means until changed."""

    outcome: Literal["completed", "declined", "canceled", "stuck_at_0", "stuck_at_2", "refused"]
    count: int | None = None


def _use(fault: Fault | WebhookFault | RefundOutcome) -> None:
    if fault.count is not None:
        fault.count -= 1


class ApiFaults:
    """The faults that requests meet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, faults: list[Fault]) -> None:
        """Further faults, behind those that are already set."""
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._faults = []

    def pending(self) -> list[Fault]:
        """The faults still to come."""
        return self._faults

    def meet(self, method: str, path: str) -> list[Fault]:
        """The faults that this request meets; each kind at most once."""
        with self._lock:
            met: dict[str, Fault] = {}
            for fault in self._faults:
                if fault.kind not in met and _hits(fault, method, path):
                    met[fault.kind] = fault
                    _use(fault)
            self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
            return [*met.values()]


def _hits(fault: Fault, method: str, path: str) -> bool:
    if fault.method and fault.method.upper() != method:
        return False
    return bool(re.search(fault.path, path)) and random.random() < fault.probability  # noqa: S311 - staged trouble


class WebhookFaults:
    """The faults that the next webhooks meet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[WebhookFault] = []

    def add(self, fault: WebhookFault) -> None:
        """One fault more."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._faults = []

    def take(self, *kinds: str) -> WebhookFault | None:
        """The first fault of these kinds, used once."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.kind in kinds), None)
            if fault:
                _use(fault)
                self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
            return fault


class RefundPlan:
    """What the payment system will do with the next refunds; without orders it completes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: RefundOutcome | None = None

    def set(self, planned: RefundOutcome) -> None:
        """Replaces the plan."""
        with self._lock:
            self._planned = planned

    def next(self) -> str:
        """The outcome of the next refund."""
        with self._lock:
            if self._planned is None or self._planned.count == 0:
                return "completed"
            _use(self._planned)
            return self._planned.outcome
