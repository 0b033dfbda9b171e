"""Who did what, written in the same database transaction as the change itself."""

from typing import Any

from merchant.models import AuditEvent, Merchant, User


def record(merchant: Merchant, user: User | None, event: str, subject: object, **data: Any) -> None:
    """Note that `user` (None: the system) caused `event`, such as "refund.requested", to `subject`.

    Never pass secrets, card data or tokens in `data`: the record cannot be changed afterwards.
    """
    AuditEvent.objects.create(merchant=merchant, user=user, event=event, subject=str(subject), data=data)
