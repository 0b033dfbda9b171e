"""The clock that rings for what happens by itself. Any number may run: one rings, the others stand by."""

from typing import Any

import redis
import structlog
from celery.beat import PersistentScheduler
from redis.exceptions import LockError

from merchant import measures, pulse

log = structlog.get_logger()

# Seconds. A dead one is missed after LEASE at most; a living one renews its lease every LOOK.
LEASE, LOOK = 20.0, 5.0


class Scheduler(PersistentScheduler):  # type: ignore[misc]
    """Celery's beat, for as long as it holds the lease.

    It goes on when the clock was set back; Celery's own waits until it is as late as before.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.lease = measures.line().lock("beat", timeout=LEASE, blocking=False, thread_local=False)
        self.leads = False

    def tick(self, *arguments: Any, **named: Any) -> float:
        """Send what is due; seconds until the next look."""
        if not self._has_the_lease():
            return LOOK
        pulse.beat(pulse.BEAT)
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            log.warning("clock_set_back", tasks=len(ahead))
            self._heap = None  # is made anew
        return min(LOOK, float(super().tick(*arguments, **named)))

    def close(self) -> None:
        """Hand over at once instead of being missed."""
        try:
            if self.leads:
                self.lease.release()
        except (LockError, redis.RedisError):
            log.info("lease_was_gone")
        super().close()

    def _has_the_lease(self) -> bool:
        led = self.leads
        try:
            self.leads = self._renewed() or bool(self.lease.acquire())
        except redis.RedisError as error:
            # Without Redis nobody can ring anyway.
            self.leads = False
            log.warning("no_lease", error=type(error).__name__)
        if self.leads != led:
            log.info("beat_leads" if self.leads else "beat_stands_by")
        return self.leads

    def _renewed(self) -> bool:
        if not self.leads:
            return False
        try:
            return bool(self.lease.reacquire())
        except LockError:
            return False
