"""The Celery application and everything that runs by the clock."""

import os
import time
from typing import Any

import structlog
from celery import Celery, Task, signals
from django.db import close_old_connections, transaction
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

from merchant import measures, pulse, walls

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")
# `migrate` has run them before any worker starts. They import every page, 13 MB in each process.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

log = structlog.get_logger()

app = Celery("merchant", task_cls="merchant.walls.tasks:WalledTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["merchant", "transactions", "fulfillment"])
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].add(pulse.Pulse)


@signals.worker_init.connect
def _close(**_: Any) -> None:
    """Before the pool's processes begin, which are copies of this one."""
    walls.close()


# After a broker that did not answer, this process rings no bell for so many seconds.
_QUIET = 10.0
_quiet_until = 0.0


def ring(task: Task, row_id: object, *, after: float = 0) -> None:
    """Send the task for a row after commit, to begin `after` seconds from then.

    A dead broker is no trouble of the person who asked: the row waits, and a sweeper rings later. Nor does
    everybody wait for it: after one that did not answer none is rung for a while.
    """
    transaction.on_commit(lambda: _send(task, row_id, after))


def trust_the_broker() -> None:
    """Ring again at once, as after a start."""
    global _quiet_until  # noqa: PLW0603 - what this process has learnt
    _quiet_until = 0.0


def _send(task: Task, row_id: object, after: float) -> None:
    global _quiet_until  # noqa: PLW0603 - what this process has learnt
    if time.monotonic() < _quiet_until:
        return
    try:
        if after > 0:
            task.apply_async((row_id,), countdown=after)
        else:
            task.delay(row_id)
        log.info("rung", task=task.name, row=str(row_id))
    except OperationalError:
        _quiet_until = time.monotonic() + _QUIET
        log.warning("bell_not_rung", task=task.name, row=str(row_id), seconds=_QUIET)


@signals.before_task_publish.connect
def _note_when(headers: dict[str, Any], **_: object) -> None:
    # A message does not say how long it has been waiting; the operations page wants to know.
    headers["sent_at"] = time.time()


@signals.task_prerun.connect
def _begin(task: Task, **_: object) -> None:
    _close_old_lines(task)
    task.request.began = time.monotonic()


@signals.task_postrun.connect
def _end(task: Task, state: str | None = None, **_: object) -> None:
    seconds = time.monotonic() - getattr(task.request, "began", time.monotonic())
    measures.observe(measures.TASK, task.name, (state or "lost").lower(), seconds)
    _close_old_lines(task)


def _close_old_lines(task: Task) -> None:
    if not task.request.is_eager:  # else the line is the caller's
        close_old_connections()


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A ring that nobody heard in time is worth nothing: the next one comes.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "ring again for waiting mails": _every(60, "merchant.tasks.sweep_mails"),
    "sync new orders": _every(30, "transactions.tasks.sync_all"),
    "re-read what may have changed": _every(60, "transactions.tasks.rescan_all"),
    "look at the projects and the tokens": _every(60, "transactions.tasks.read_all_projects"),
    "ring again for waiting exports": _every(60, "transactions.tasks.sweep_exports"),
    "begin schedules that are due": _every(30, "transactions.tasks.sweep_schedules"),
    "ring again for waiting actions": _every(10, "fulfillment.tasks.sweep_actions"),
    "ring again for waiting calls of servers": _every(10, "fulfillment.tasks.sweep_server_calls"),
    "ring again for waiting batches": _every(30, "fulfillment.tasks.sweep_batches"),
    "ring again for waiting mails to customers": _every(10, "fulfillment.tasks.sweep_messages"),
    "ring again for waiting webhooks": _every(30, "fulfillment.tasks.sweep_webhooks"),
    "drop what is old": _every(24 * 3600, "fulfillment.tasks.drop_what_is_old"),
    "drop what is left of ended sessions": _every(24 * 3600, "merchant.tasks.drop_ended_sessions"),
    "verify the audit": _every(24 * 3600, "merchant.tasks.verify_audit"),
}
