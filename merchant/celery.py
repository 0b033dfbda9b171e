"""The Celery application and everything that runs by the clock."""

import os
from typing import Any

import structlog
from celery import Celery, Task
from django.db import transaction
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")

log = structlog.get_logger()

app = Celery("merchant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["transactions", "fulfillment"])
app.steps["worker"].add(DjangoStructLogInitStep)


def ring(task: Task, row_id: object, *, after: float = 0) -> None:
    """Send the task for a row after commit, to begin `after` seconds from then.

    A dead broker is no trouble of the person who asked: the row waits, and a sweeper rings later.
    """
    transaction.on_commit(lambda: _send(task, row_id, after))


def _send(task: Task, row_id: object, after: float) -> None:
    try:
        if after > 0:
            task.apply_async((row_id,), countdown=after)
        else:
            task.delay(row_id)
    except OperationalError:
        log.warning("bell_not_rung", task=task.name, row=str(row_id))


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A ring that nobody heard in time is worth nothing: the next one comes.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "sync new orders": _every(30, "transactions.tasks.sync_all"),
    "re-read what may have changed": _every(60, "transactions.tasks.rescan_all"),
    "ring again for waiting exports": _every(60, "transactions.tasks.sweep_exports"),
    "ring again for waiting actions": _every(10, "fulfillment.tasks.sweep_actions"),
    "ring again for waiting batches": _every(30, "fulfillment.tasks.sweep_batches"),
    "ring again for waiting webhooks": _every(30, "fulfillment.tasks.sweep_webhooks"),
}
