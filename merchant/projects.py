"""What may be changed of a project: its webhook secret, and whether and how its webhooks are taken."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from merchant import audit
from merchant.models import Project, User

# PaySuper signs a repetition with the secret that its event began with, and repeats for 48 hours (§9.1).
OVERLAP = dt.timedelta(hours=48)


def take_secret(project: Project, secret: str) -> bool:
    """Give the unsaved project this secret; the one before stays good for OVERLAP. Whether it was another."""
    if secret == project.secret_key:
        return False
    now = timezone.now()
    project.previous_secret = project.secret_key
    project.previous_secret_until = now + OVERLAP if project.secret_key else None
    project.secret_key, project.secret_since = secret, now
    return True


def rotate_secret(project: Project, user: User, secret: str) -> bool:
    """Store a new secret, audited. False when it is the one already known."""
    with transaction.atomic():
        locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if not take_secret(locked, secret):
            return False
        locked.save(update_fields=["secret_key", "secret_since", "previous_secret", "previous_secret_until"])
        until = locked.previous_secret_until
        data = {"previous_until": until.isoformat() if until else None}
        audit.record(locked.merchant, user, "project.secret_changed", locked.paysuper_id, **data)
    return True


def end_previous_secret(project: Project, user: User) -> bool:
    """Stop taking what the secret before the current one has signed, audited. False when none was taken."""
    with transaction.atomic():
        locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if not locked.second_secret:
            return False
        locked.previous_secret, locked.previous_secret_until = "", None
        locked.save(update_fields=["previous_secret", "previous_secret_until"])
        audit.record(locked.merchant, user, "project.previous_secret_ended", locked.paysuper_id)
    return True


def change_webhooks(project: Project, user: User, *, taken: bool, admits_customers: bool) -> bool:
    """Whether webhooks are taken, how `user.validate` is answered; audited. False when nothing changed."""
    wanted = {"takes_webhooks": taken, "admits_customers": admits_customers}
    with transaction.atomic():
        locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        changed = {name: value for name, value in wanted.items() if getattr(locked, name) != value}
        if not changed:
            return False
        Project.objects.filter(pk=project.pk).update(**changed)
        audit.record(locked.merchant, user, "project.webhooks_changed", locked.paysuper_id, **changed)
    return True
