"""Who did what, written in the same database transaction as the change itself."""

import contextvars
from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from merchant.models import AuditEvent, Merchant, User

# The request that is being answered, if any.
answered: contextvars.ContextVar[HttpRequest | None] = contextvars.ContextVar("answered", default=None)


def record(merchant: Merchant, user: User | None, event: str, subject: object, **data: Any) -> None:
    """Note that `user` (None: the system) caused `event`, such as "refund.requested", to `subject`.

    Never pass secrets, card data or tokens in `data`: the record cannot be changed afterwards. Address and
    id of the request are added; the database adds the row's place in the merchant's chain.
    """
    AuditEvent.objects.create(
        merchant=merchant,
        user=user,
        event=event,
        subject=str(subject),
        data=data,
        address=_address(),
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
    )


def _address() -> str | None:
    """Where the request came from, behind the proxies that are ours; None outside of requests."""
    request = answered.get()
    try:
        return str(get_adapter(request).get_client_ip(request)) if request else None
    except PermissionDenied:
        return None
