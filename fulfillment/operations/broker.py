"""A look into the queues of the broker."""

import json
import time
from dataclasses import dataclass

from django.conf import settings

from merchant import measures, pulse


@dataclass(frozen=True)
class Queue:
    """A queue: its messages, the age of the oldest, and that of its worker's last sign. Seconds."""

    name: str
    length: int
    oldest: float | None
    pulse: float | None


def queues() -> list[Queue]:
    """All queues. Raises redis.RedisError."""
    alive = pulse.ages()
    with measures.line().pipeline(transaction=False) as pipe:
        for name in settings.QUEUES:
            pipe.llen(name)
            pipe.lindex(name, -1)  # kombu puts in on the left and takes on the right
        answers = pipe.execute()
    return [
        Queue(name, length, _age(message), alive[name])
        for name, length, message in zip(settings.QUEUES, answers[::2], answers[1::2], strict=True)
    ]


def _age(message: bytes | None) -> float | None:
    if message is None:
        return None
    sent_at = json.loads(message).get("headers", {}).get("sent_at")
    return max(0.0, time.time() - sent_at) if sent_at else None
