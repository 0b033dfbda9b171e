"""The Celery application and everything that runs by the clock."""

import os

from celery import Celery
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant.settings")

app = Celery("merchant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["transactions", "fulfillment"])
app.steps["worker"].add(DjangoStructLogInitStep)
app.conf.beat_schedule = {
    "sync new orders": {"task": "transactions.tasks.sync_all", "schedule": 30.0},
    "re-read young orders": {"task": "transactions.tasks.rescan_all", "schedule": 3600.0},
    "ring again for waiting exports": {"task": "transactions.tasks.sweep_exports", "schedule": 60.0},
    "ring again for waiting actions": {"task": "fulfillment.tasks.sweep_actions", "schedule": 10.0},
    "ring again for waiting webhooks": {"task": "fulfillment.tasks.sweep_webhooks", "schedule": 30.0},
}
