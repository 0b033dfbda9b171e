"""Rows for the tests of exports."""

import datetime as dt
import itertools
import uuid
from decimal import Decimal

from merchant.models import Merchant, Project
from transactions.exports import Heading
from transactions.models import Transaction

HEADING = Heading("Café Nórd GmbH", "Europe/Berlin", "Status: Processed · Period: 1–30 Nov 2026", "Ann Accountant")
START = dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC)

_numbers = itertools.count(1)


def make_project(name="Skyforge") -> Project:
    number = next(_numbers)
    merchant = Merchant.objects.create(paysuper_id=f"{number:024x}", name="Café Nórd GmbH", api_token="t")
    return Project.objects.create(merchant=merchant, paysuper_id=f"{number:024x}", name=name)


def unsaved(project, number=0, **values) -> Transaction:
    """An ordinary processed sale; `number` moves it an hour later."""
    at = START + dt.timedelta(hours=number)
    usual = {
        "uuid": uuid.uuid4(),
        "merchant": project.merchant,
        "project": project,
        "type": "order",
        "status": "processed",
        "created_at": at,
        "transaction_id": f"tx-{number:05}",
        "product": "Golden sword",
        "country": "DE",
        "method": "BANKCARD",
        "method_title": "Bank card",
        "customer_id": f"c-{number}",
        "customer_name": "Jane Doe",
        "customer_email": "jane@example.com",
        "is_production": True,
        "total_amount": Decimal("11.89"),
        "currency": "EUR",
        "charge_amount": Decimal("11.89"),
        "charge_currency": "EUR",
        "gross_amount": Decimal("13.00"),
        "tax_amount": Decimal("2.08"),
        "fees_amount": Decimal("0.95"),
        "net_amount": Decimal("9.97"),
        "payout_currency": "USD",
        "asked_at": at,
    }
    return Transaction(**usual | values)


def sale(project, number=0, **values) -> Transaction:
    """The same, in the database."""
    row = unsaved(project, number, **values)
    row.save(force_insert=True)
    return row


def everything():
    """All rows, newest first."""
    return Transaction.objects.order_by("-created_at", "-uuid")
