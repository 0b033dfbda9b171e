"""Refunds that wait for a second person, for tests."""

from decimal import Decimal

import pytest

from fulfillment import actions
from fulfillment.models import Action
from merchant.models import Merchant, RefundRules
from tests.conftest import Person, person
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order


@pytest.fixture
def dan(lantern: Merchant) -> Person:
    """The developer of Lantern Works."""
    return person(lantern, "dan", "developer")


def limit(merchant: Merchant, amount: object, role: str = "support", currency: str = "EUR") -> None:
    values = {f"limit_{role}": amount, "limit_currency": currency}
    RefundRules.objects.filter(merchant=merchant).update(**values)


@pytest.fixture
def waiting(ben: Person, lantern: Merchant, desk: Desk) -> Action:
    """A refund of €20 that Ben asked for, whose limit is €10."""
    limit(lantern, 10)
    return ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben, note="told by phone")


def seen(action: Action) -> tuple[Decimal, str]:
    return action.amount, action.currency


def approve(action: Action, who: Person, note: str = "") -> None:
    actions.approve(fresh(action), who.membership, note=note, seen=seen(action))
