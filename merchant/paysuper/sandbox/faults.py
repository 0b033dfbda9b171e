"""Faults on order: of the API, of the next refunds, of webhooks, each for a number of times."""

import random
import re
import threading
from collections.abc import Callable
from typing import Generic, Literal, TypeVar

from msgspec import Struct


class Fault(Struct, kw_only=True):
    """One fault of the API; `count` null means until cleared."""

    kind: Literal["latency", "status", "reset", "lost_answer", "truncated", "expired_token", "no_race_guard"]
    method: str = ""
    path: str = ""
    status: int = 503
    seconds: float = 0.1
    retry_after: str | int | None = None
    body: str | None = None
    count: int | None = None
    probability: float = 1.0


class WebhookFault(Struct, kw_only=True):
    """One fault of the next `count` webhooks; null means until cleared."""

    kind: Literal["duplicate", "delay", "wrong_signature", "drop", "swap", "regress"]
    count: int | None = 1
    seconds: float = 0


class RefundOutcome(Struct, kw_only=True):
    """What becomes of the next `count` refunds; null means until changed."""

    outcome: Literal["completed", "declined", "canceled", "stuck_at_0", "stuck_at_2", "refused"]
    count: int | None = None


F = TypeVar("F", Fault, WebhookFault)


def _use(fault: Fault | WebhookFault | RefundOutcome) -> None:
    if fault.count is not None:
        fault.count -= 1


class _Faults(Generic[F]):
    """Faults in the order in which they were set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[F] = []

    def add(self, faults: list[F]) -> None:
        """Further faults, behind those that are already set."""
        with self._lock:
            self._faults += faults

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._faults = []

    def pending(self) -> list[F]:
        """The faults still to come."""
        return self._faults

    def _meet(self, hits: Callable[[F], bool]) -> list[F]:
        """The faults that hit, each kind at most once; they are used."""
        with self._lock:
            met: dict[str, F] = {}
            for fault in self._faults:
                if fault.kind not in met and hits(fault):
                    met[fault.kind] = fault
                    _use(fault)
            self._faults = [fault for fault in self._faults if fault.count is None or fault.count > 0]
            return list(met.values())


class ApiFaults(_Faults[Fault]):
    """The faults that requests meet."""

    def meet(self, method: str, path: str) -> list[Fault]:
        """The faults that this request meets."""
        return self._meet(lambda fault: _hits(fault, method, path))


def _hits(fault: Fault, method: str, path: str) -> bool:
    if fault.method and fault.method.upper() != method:
        return False
    return bool(re.search(fault.path, path)) and random.random() < fault.probability  # noqa: S311 - staged trouble


class WebhookFaults(_Faults[WebhookFault]):
    """The faults that the next webhooks meet."""

    def take(self, *kinds: str) -> WebhookFault | None:
        """The first fault of these kinds, used once."""
        first = next((fault for fault in self._faults if fault.kind in kinds), None)
        met = self._meet(lambda fault: fault is first)
        return met[0] if met else None


class RefundPlan:
    """What the payment system will do with the next refunds; without orders it completes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned = RefundOutcome(outcome="completed")

    @property
    def planned(self) -> RefundOutcome:
        """The plan in force."""
        return self._planned

    def set(self, planned: RefundOutcome) -> None:
        """Replaces the plan."""
        with self._lock:
            self._planned = planned

    def next(self) -> str:
        """The outcome of the next refund."""
        with self._lock:
            outcome = self._planned.outcome
            _use(self._planned)
            if self._planned.count == 0:
                self._planned = RefundOutcome(outcome="completed")
            return outcome
