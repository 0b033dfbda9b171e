"""Cards of orders that PaySuper's contract shows, for tests."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client as Browser

from merchant.models import Merchant
from tests.conftest import person
from tests.transactions.test_pages import seen, text
from transactions.models import Transaction

KEYS = "admin.order.key.processed.two-platforms.json"
CARD = "admin.order.simple.processed.card.json"
CUSTOMER = ("Mara Lindqvist", "mara.lindqvist@example.com", "203.0.113.24", "Bremen", "28195", "400000")
AT = dt.datetime(2021, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def as_role(lantern: Merchant) -> Callable[[str], Browser]:
    """A signed-in browser of somebody with this role."""
    return lambda role: person(lantern, role, role).browser


def address(entry: Transaction, end: str = "") -> str:
    return f"/transactions/{entry.pk}/{end}"


def page_of(browser: Browser, entry: Transaction) -> str:
    return seen(text(browser, address(entry)))
