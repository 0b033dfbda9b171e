"""How long things take and how they end, counted over all processes in Redis.

The counts begin anew when Redis is emptied, as those of a process do when it starts: who reads counters
reckons with that.
"""

import functools
import time
from collections import defaultdict
from dataclasses import dataclass, field

import redis
import structlog
from django.conf import settings

log = structlog.get_logger()

# Seconds: each the upper limit of a class of durations; whatever takes longer is in none of them.
LIMITS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
PAYSUPER, TASK = "paysuper", "task"
# After a Redis that did not answer, this process counts nothing for so many seconds.
_QUIET = 10.0
_quiet_until = 0.0


@dataclass
class Durations:
    """What is known of one name and outcome. `counts` go with LIMITS; the last is of all that took longer."""

    name: str
    outcome: str
    counts: list[int] = field(default_factory=lambda: [0] * (len(LIMITS) + 1))
    total: float = 0.0

    @property
    def number(self) -> int:
        """How often it happened."""
        return sum(self.counts)

    def slower_than(self, share: float) -> float:
        """The limit (seconds) under which at least this share stayed; infinity when none is high enough."""
        wanted, seen = share * self.number, 0
        for limit, count in zip(LIMITS, self.counts, strict=False):
            seen += count
            if seen >= wanted:
                return limit
        return float("inf")


def observe(what: str, name: str, outcome: str, seconds: float) -> None:
    """Count one. A Redis that is out of order costs the count and nothing else."""
    global _quiet_until  # noqa: PLW0603 - what this process has learnt
    if time.monotonic() < _quiet_until:
        return
    place = sum(seconds > limit for limit in LIMITS)
    try:
        with line().pipeline(transaction=False) as pipe:
            pipe.hincrby(_key(what), f"{name}|{outcome}|{place}", 1)
            pipe.hincrbyfloat(_key(what), f"{name}|{outcome}|sum", round(seconds, 4))
            pipe.execute()
    except redis.RedisError as error:
        _quiet_until = time.monotonic() + _QUIET
        log.warning("not_counted", what=what, error=type(error).__name__)


def read(what: str) -> list[Durations]:
    """Everything that was counted, by name and outcome. Raises redis.RedisError."""
    found: dict[tuple[str, str], Durations] = {}
    stored: dict[bytes, bytes] = line().hgetall(_key(what))  # type: ignore[assignment]
    for key, value in stored.items():
        name, outcome, place = key.decode().rsplit("|", 2)
        durations = found.setdefault((name, outcome), Durations(name, outcome))
        if place == "sum":
            durations.total = float(value)
        else:
            durations.counts[int(place)] = int(value)
    return [found[key] for key in sorted(found)]


def by_name(what: str) -> dict[str, Durations]:
    """The same, whatever the outcome."""
    found: dict[str, Durations] = {}
    for each in read(what):
        whole = found.setdefault(each.name, Durations(each.name, ""))
        whole.counts = [a + b for a, b in zip(whole.counts, each.counts, strict=True)]
        whole.total += each.total
    return found


def outcomes(what: str) -> dict[str, dict[str, int]]:
    """How often each name ended how."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for each in read(what):
        found[each.name][each.outcome] = each.number
    return dict(found)


def line() -> "redis.Redis":
    """The line to Redis of this process, with little patience: nobody waits for a count."""
    return _line(settings.REDIS_URL)


@functools.cache
def _line(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)


def _key(what: str) -> str:
    return f"measures:{what}"
