"""The Celery application and everything that runs by the clock."""

import os
from typing import Any

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")

app = Celery("merchant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["transactions", "fulfillment"])
app.steps["worker"].add(DjangoStructLogInitStep)


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A ring that nobody heard in time is worth nothing: the next one comes.
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app.conf.beat_schedule = {
    "sync new orders": _every(30, "transactions.tasks.sync_all"),
    "re-read young orders": _every(3600, "transactions.tasks.rescan_all"),
    "ring again for waiting exports": _every(60, "transactions.tasks.sweep_exports"),
    "ring again for waiting actions": _every(10, "fulfillment.tasks.sweep_actions"),
    "ring again for waiting webhooks": _every(30, "fulfillment.tasks.sweep_webhooks"),
}
