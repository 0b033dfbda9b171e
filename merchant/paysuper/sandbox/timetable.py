"""Jobs that are due later, run by a few threads of their own."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

Job = Callable[[], None]
log = logging.getLogger(__name__)


class Timetable:
    """A heap of due jobs; one slow job holds up one worker and nothing else."""

    def __init__(self, name: str, workers: int) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._news = threading.Condition()
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def after(self, seconds: float, job: Job) -> None:
        """Runs `job` once, `seconds` from now."""
        with self._news:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), job))
            self._news.notify()

    def stop(self) -> None:
        """Starts no further job; running ones end by themselves."""
        with self._news:
            self._stopped = True
            self._news.notify_all()

    def _work(self) -> None:
        while job := self._next():
            try:
                job()
            except Exception:
                log.exception("a job of the sandbox failed")

    def _next(self) -> Job | None:
        with self._news:
            while not self._stopped:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._news.wait(wait)
        return None
