"""Deliveries that were not taken: counted, and the newest kept in short. A flood of them costs little."""

import datetime as dt
import threading
import time
from collections.abc import Hashable, Mapping

import structlog
from django.db import DatabaseError, connection
from django.utils import timezone

from fulfillment.inbox import clinic
from fulfillment.models import RefusalCount, RefusedDelivery
from merchant.models import Project

log = structlog.get_logger()
Reason = RefusedDelivery.Reason

KEPT = 20
_BEGINNING = 200
_LARGEST = 2**63 - 1
_REMEMBERED = dt.timedelta(days=30)
_COUNT = """
INSERT INTO fulfillment_refusalcount AS counted (project_id, hour, reason, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (project_id, hour, reason) DO UPDATE SET count = counted.count + EXCLUDED.count
"""


class Valve:
    """Lets so many a second through, and tells the next one how many it stands for."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._seen: dict[Hashable, tuple[int, int, int]] = {}

    def stands_for(self, key: Hashable) -> int:
        """How many, with those held back before; 0 when this one is held back."""
        now = int(time.monotonic())
        with self._lock:
            second, passed, held = self._seen.get(key, (now, 0, 0))
            if second != now:
                passed = 0
            if passed >= self._most:
                self._seen[key] = now, passed, held + 1
                return 0
            self._seen[key] = now, passed + 1, 0
            return held + 1


_valve = Valve(most=5)


def note(
    project: Project, reason: Reason, body: bytes, size: int, signed: str, headers: Mapping[str, str]
) -> None:
    """Count a delivery that was not taken and keep its outline. Trouble with that is nobody's trouble.

    `size` is what the sender announced, `signed` its signature, of which only the verdict is kept.
    """
    count = _valve.stands_for((project.pk, reason))
    if not count:
        return
    try:
        _count(project, reason, count)
        RefusedDelivery.objects.create(
            merchant_id=project.merchant_id,
            project=project,
            reason=reason,
            detail=clinic.whose(project, body, signed) if reason == Reason.WRONG_SIGNATURE else "",
            size=min(size, _LARGEST),
            beginning=body[:_BEGINNING].decode(errors="replace").replace("\0", ""),
            headers=headers,
        )
        _drop_old(project, reason)
    except DatabaseError:
        log.exception("refusal_not_noted", project=project.paysuper_id)


def _count(project: Project, reason: str, count: int) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [project.pk, hour, reason, count])


def _drop_old(project: Project, reason: str) -> None:
    kept = RefusedDelivery.objects.filter(project=project, reason=reason)
    old = list(kept.values_list("pk", flat=True)[KEPT : KEPT + 1])
    if old:
        kept.filter(pk__lte=old[0]).delete()


def forget() -> None:
    """Drop counts that nobody looks at any more."""
    RefusalCount.objects.filter(hour__lt=timezone.now() - _REMEMBERED).delete()
