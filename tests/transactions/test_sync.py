"""The mirror is filled from PaySuper over HTTP and equals it afterwards."""

import pytest
from django.core.management import CommandError, call_command

from merchant.models import Merchant
from tests.conftest import LANTERN
from transactions import sync
from transactions.models import Transaction


def test_a_first_fill_brings_every_order_of_the_merchant(lantern: Merchant) -> None:
    report = sync.sync(lantern, full=True)
    assert report.read == len(report.added) == Transaction.objects.filter(merchant=lantern).count() > 40
    assert list(sync.drift(lantern)) == []


def test_check_drift_fails_and_names_the_order_that_differs(mirrored: Merchant) -> None:
    entry = Transaction.objects.filter(merchant=mirrored, status="processed").first()
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=entry.charge_amount + 1)
    with pytest.raises(CommandError):
        call_command("check_drift", merchant_id=LANTERN)
    assert [line.split(":")[0] for line in sync.drift(mirrored)] == [str(entry.pk)]
