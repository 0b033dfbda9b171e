"""What a benchmark yields: the same work done by us and by a peer, round after round."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Work = Callable[[], float | None]


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int
    fill: int
    fill_small: int
    unchanged: int
    events: int
    drain: int
    drain_small: int
    table: int
    xlsx: int
    pdf: int


SCALES = {
    "small": Sizes(
        rounds=3, fill=20_000, fill_small=5_000, unchanged=5_000, events=1_500, drain=2_000,
        drain_small=500, table=100_000, xlsx=100_000, pdf=1_000,
    ),
    "full": Sizes(
        rounds=3, fill=200_000, fill_small=20_000, unchanged=20_000, events=10_000, drain=100_000,
        drain_small=10_000, table=1_000_000, xlsx=100_000, pdf=5_000,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One promise: its figures, one a round, and the limit that their median has to keep."""

    what: str
    product: str
    peer: str
    figures: list[float]
    limit: float
    at_least: bool = True
    unit: str = "×"

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        middle = median(self.figures)
        return middle >= self.limit if self.at_least else middle <= self.limit


def interleaved(product: Work, peer: Work, rounds: int) -> list[tuple[float, float]]:
    """Seconds of us and of the peer, in turns, so that what else the machine does hits both."""
    return [(timed(product), timed(peer)) for _ in range(rounds)]


def timed(work: Work) -> float:
    """The seconds that the work says it took, or those that pass while it runs."""
    start = time.perf_counter()
    said = work()
    return time.perf_counter() - start if said is None else said


def faster(pairs: list[tuple[float, float]]) -> list[float]:
    """How many times faster than the peer, by round."""
    return [peer / ours for ours, peer in pairs]


def rates(pairs: list[tuple[float, float]], amount: int, unit: str) -> tuple[str, str]:
    """Amounts a second of us and of the peer, in words."""
    ours, peer = (amount / median(side) for side in zip(*pairs, strict=True))
    return f"{ours:,.0f} {unit}/s", f"{peer:,.0f} {unit}/s"


def seconds(pairs: list[tuple[float, float]]) -> tuple[str, str]:
    """Seconds of us and of the peer, in words."""
    ours, peer = (median(side) for side in zip(*pairs, strict=True))
    return f"{ours:.2f} s", f"{peer:.2f} s"
