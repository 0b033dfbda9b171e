"""Asking the sandbox for a payment: a row first, and a worker who makes it."""

import datetime as dt
import secrets
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone

from fulfillment import returning
from fulfillment.models import ReturnPage, TestPayment
from merchant import audit, line
from merchant.models import Membership, Project
from merchant.paysuper.errors import NoAnswer, PaySuperError

State = TestPayment.State
NO_SANDBOX = "This connection does not lead to a sandbox: nothing was paid."
# A bell that nobody heard by then is rung again, for as long as somebody may be looking.
_BELL_AT_MOST = dt.timedelta(seconds=20)
_WORTH_MAKING = dt.timedelta(minutes=5)


def ask(
    project: Project, member: Membership, *, kind: str, card: str, amount: Decimal, currency: str
) -> TestPayment:
    """Note that somebody wants a payment, audited. A worker makes it."""
    wanted = {"kind": kind, "card": card, "currency": currency}
    test = TestPayment.objects.create(
        merchant=project.merchant,
        project=project,
        amount=amount,
        return_token=secrets.token_urlsafe(24),
        requested_by=member.user,
        **wanted,
    )
    audit.record(
        project.merchant, member.user, "test_payment.asked", project.paysuper_id, amount=str(amount), **wanted
    )
    return test


def send(test: TestPayment) -> None:
    """Have the sandbox make the payment, once, whatever the answer; never anywhere but at a sandbox."""
    asked = TestPayment.objects.filter(pk=test.pk)
    if not asked.filter(state=State.ASKED).update(state=State.SENDING):
        return
    try:
        with line.sandbox(test.merchant) as client:
            if not client.is_sandbox():
                asked.update(state=State.FAILED, outcome=NO_SANDBOX)
                return
            uuid = client.make_payment(_wish(test))
    except NoAnswer as error:
        asked.update(state=State.UNKNOWN, outcome=str(error)[:300])
    except PaySuperError as error:
        asked.update(state=State.FAILED, outcome=str(error)[:300])
    else:
        asked.update(state=State.MADE, order_uuid=uuid)


def due() -> list[int]:
    """Test payments whose bell nobody heard."""
    now = timezone.now()
    waiting = TestPayment.objects.filter(state=State.ASKED, requested_at__lte=now - _BELL_AT_MOST)
    return list(waiting.filter(requested_at__gte=now - _WORTH_MAKING).values_list("pk", flat=True))


def _wish(test: TestPayment) -> dict[str, Any]:
    wish: dict[str, Any] = {
        "project_id": test.project.paysuper_id,
        "kind": test.kind,
        "currency": test.currency,
        "amount": test.amount,
        "metadata": {returning.METADATA: test.return_token},
        # Whoever tries the checkout is the customer, and reads the receipt.
        "user": {"name": str(test.requested_by), "email": test.requested_by.email},
    }
    wish |= {"card": test.card} if test.card else {"outcome": "created"}
    if ReturnPage.of(test.project).is_open:
        ends = f"{test.project.paysuper_id}/{test.return_token}/"
        wish |= {"url_success": f"{settings.BASE_URL}/thanks/{ends}"}
        wish |= {"url_fail": f"{settings.BASE_URL}/sorry/{ends}"}
    return wish
