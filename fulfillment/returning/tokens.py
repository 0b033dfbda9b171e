"""Tokens that shops invent, and the orders that they stand for."""

import datetime as dt
import hashlib
import json
import re
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from fulfillment.models import ReturnPage, ReturnToken, WebhookEvent
from merchant.models import Project
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.webhook_order import webhook_order

# The member of an order's metadata that holds the token.
METADATA = "return_token"
# 22 signs of this alphabet hold 128 bits. A number is no token: orders are numbered.
_FORM = re.compile(r"(?![0-9]+\Z)(?![0-9a-f]{8}-[0-9a-f-]{27}\Z)[A-Za-z0-9_-]{22,128}")
GOOD_FOR = dt.timedelta(days=30)


def is_token(text: str) -> bool:
    """Whether this has the form of a token: 22 to 128 letters, digits, - and _, neither number nor UUID."""
    return bool(_FORM.fullmatch(text))


def note(event: WebhookEvent) -> None:
    """Keep whose order the token in the metadata of a signed webhook stands for; the first one counts.

    Does nothing where the project shows no pages, so that nobody's webhooks are opened for nothing.
    """
    if not ReturnPage.objects.filter(project=event.project_id, is_open=True).exists():
        return
    try:
        document = json.loads(event.body, parse_float=Decimal)
        told = webhook_order(document.get("object") if isinstance(document, dict) else None)
    except (ValueError, RecursionError, Unexpected):
        return
    token = told.metadata.get(METADATA)
    if isinstance(token, str) and is_token(token) and told.uuid == event.order_uuid:
        ReturnToken.objects.get_or_create(
            project_id=event.project_id,
            digest=_digest(token),
            defaults={"merchant_id": event.merchant_id, "order_uuid": told.uuid},
        )


def order_of(project: Project, token: str) -> UUID | None:
    """The order that the token stands for, or None while nobody knows, and after GOOD_FOR."""
    known = ReturnToken.objects.filter(project=project, digest=_digest(token))
    young = known.filter(noted_at__gt=timezone.now() - GOOD_FOR)
    return young.values_list("order_uuid", flat=True).first()


def forget() -> None:
    """Drop what is good no more."""
    ReturnToken.objects.filter(noted_at__lte=timezone.now() - GOOD_FOR).delete()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
