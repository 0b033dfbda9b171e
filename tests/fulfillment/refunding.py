"""What the tests of refunds share: rows, states, and the form that a person posts."""

import datetime as dt

from django.utils import timezone

from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import (
    Desk,
    earlier,
    sent,
    settle,
)
from transactions import sync
from transactions.models import Transaction

State = Action.State


def refund_row(merchant: Merchant, order: Transaction) -> Transaction:
    """The row that PaySuper adds for a refund. A sync asks for whole seconds: this one is for the next."""
    sync.sync(merchant, until=timezone.now() + dt.timedelta(seconds=1))
    return Transaction.objects.get(parent_uuid=order.pk)


def needs_person(order: Transaction, who: Person, desk: Desk) -> Action:
    desk.fault("reset")
    return settle(earlier(sent(order, who), minutes=11))


def form(order: Transaction, **changes: object) -> dict[str, object]:
    return {
        "reason": REASONS[0],
        "note": "",
        "seen_amount": order.charge_amount,
        "seen_currency": order.charge_currency,
    } | changes
