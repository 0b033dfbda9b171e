"""A merchant whose PaySuper still speaks as in 2019 is mirrored like any other (contract §18)."""

import httpx2
import pytest

from merchant.models import Merchant
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN, connect
from transactions import sync
from transactions.models import RawOrder, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def old() -> Merchant:
    with Sandbox(orders=300, seed=5, refund_delay=0.05, webhook_url="", generation=2019) as paysuper:
        merchant = connect(LANTERN, "Lantern Works GmbH", paysuper.url, "sandbox-lantern-owner-token")
        merchant.generation = "2019"
        merchant.save()
        yield merchant


def test_its_orders_are_mirrored_whole(old: Merchant) -> None:
    report = sync.sync(old, full=True)
    assert report.added > 100
    assert report.unreadable == []
    assert list(sync.drift(old, deep=True)) == []


def test_only_accounted_orders_are_there(old: Merchant) -> None:
    sync.sync(old, full=True)
    assert set(Transaction.objects.values_list("status", flat=True)) == {
        "processed",
        "refunded",
        "chargeback",
    }


def test_the_leaking_webhook_secret_is_not_kept(old: Merchant) -> None:
    sync.sync(old, full=True)
    documents = list(RawOrder.objects.values_list("document", flat=True))
    assert all("secret_key" not in document["project"] for document in documents)


def test_a_connection_set_to_the_wrong_generation_finds_the_dates_by_itself(old: Merchant) -> None:
    old.generation = "2021"
    old.save()
    sync.sync(old, full=True)
    assert list(sync.drift(old)) == []


def test_new_payments_and_chargebacks_come_in(old: Merchant) -> None:
    sync.sync(old, full=True)
    uuid = httpx2.post(f"{old.api_url}/sandbox/payments", json={}).json()["uuid"]
    sync.sync(old)
    assert Transaction.objects.get(pk=uuid).status == "processed"
    httpx2.post(f"{old.api_url}/sandbox/orders/{uuid}/chargeback")
    sync.rescan(old)
    assert Transaction.objects.get(pk=uuid).status == "chargeback"
