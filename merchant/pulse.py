"""Signs of life of the processes that run in the background, kept in the cache for as long as they are good.

A worker gives one for each of its queues, from its main process: it stays alive while tasks run long, and
stops when the worker has lost its broker.
"""

import time
from typing import Any

import structlog
from celery import bootsteps
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger()

BEAT = "beat"
SECONDS = 15.0
_GOOD_FOR = 60


def beat(*names: str) -> None:
    """Note that these are alive."""
    try:
        cache.set_many({_key(name): time.time() for name in names}, _GOOD_FOR)
    except RedisError as error:
        log.warning("no_pulse", error=type(error).__name__)


def ages() -> dict[str, float | None]:
    """Seconds since the last sign of each queue and of beat; None: none for a minute. Raises RedisError."""
    names = (*settings.QUEUES, BEAT)
    now, found = time.time(), cache.get_many([_key(name) for name in names])
    return {name: max(0.0, now - found[_key(name)]) if _key(name) in found else None for name in names}


class Pulse(bootsteps.StartStopStep):  # type: ignore[misc]
    """Lets a worker give its signs of life for as long as it listens to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        """From now on: at every connection anew, since a lost one takes its timers along."""
        queues = tuple(consumer.app.amqp.queues.consume_from)
        beat(*queues)
        consumer.timer.call_repeatedly(SECONDS, beat, queues)


def _key(name: str) -> str:
    return f"pulse:{name}"
