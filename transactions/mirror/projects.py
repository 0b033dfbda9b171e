"""The only writer of what PaySuper says about a merchant's projects."""

import datetime as dt
import hmac
from collections.abc import Iterable

from merchant.models import Merchant, Project
from merchant.paysuper.records import ProjectRecord
from transactions.models import MirroredProject

_LONGEST_PROTOCOL = 50
_LARGEST_STATE, _NO_STATE = 2**15, -1


def apply_projects(merchant: Merchant, records: Iterable[ProjectRecord], read_at: dt.datetime) -> None:
    """Keep what a read of all projects, sent at `read_at` (UTC), has brought; an older one changes nothing.

    A project that is not among them is no longer listed. One of another merchant is left alone.
    """
    mine = {project.paysuper_id: project for project in Project.objects.filter(merchant=merchant)}
    for record in records:
        if project := mine.pop(record.id, None):
            _keep(project, record, read_at)
    gone = MirroredProject.objects.filter(project__in=mine.values(), read_at__lt=read_at)
    gone.update(is_listed=False, read_at=read_at)


def _keep(project: Project, record: ProjectRecord, read_at: dt.datetime) -> None:
    known = {
        "merchant_id": project.merchant_id,
        "status": record.status if 0 <= record.status <= _LARGEST_STATE else _NO_STATE,
        "webhook_url": record.webhook_url,
        "success_url": record.success_url,
        "fail_url": record.fail_url,
        "callback_protocol": record.callback_protocol[:_LONGEST_PROTOCOL],
        "secret_matches": _is_same(project.secret_key, record.secret_key),
        "is_listed": True,
        "read_at": read_at,
    }
    _, is_new = MirroredProject.objects.get_or_create(project=project, defaults=known)
    if not is_new:
        MirroredProject.objects.filter(project=project, read_at__lt=read_at).update(**known)


def _is_same(ours: str, theirs: str) -> bool | None:
    if not ours or not theirs:
        return None
    return hmac.compare_digest(ours.encode(), theirs.encode())
