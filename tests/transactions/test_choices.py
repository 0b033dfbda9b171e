"""The filters offer what occurs among the merchant's own transactions, read by one query."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from merchant.models import Merchant
from tests.conftest import HARBOUR, KETTLE, SNOW, Person
from tests.transactions import rows
from transactions.filters import choices
from transactions.models import Transaction


def offered(merchant: Merchant, name: str) -> list[tuple[str, str]]:
    return choices.of(merchant).by_filter[name]


def test_every_value_that_occurs_is_offered_once_by_its_title(lantern: Merchant, copper: Merchant) -> None:
    rows.fill(lantern)
    assert offered(lantern, "currency") == [(each, each) for each in ("BHD", "EUR", "JPY", "USD")]
    assert offered(lantern, "country") == [
        ("BH", "Bahrain"),
        ("DE", "Germany"),
        ("JP", "Japan"),
        ("US", "United States"),
    ]
    methods = [("BANKCARD", "Bank card"), ("BITCOIN", "Bitcoin"), ("QIWI", "QIWI Wallet")]
    assert offered(lantern, "method") == methods
    assert offered(lantern, "project") == [(HARBOUR, "Lantern Harbour"), (SNOW, "Snow Defender")]


def test_nothing_of_another_merchant_is_offered(lantern: Merchant, copper: Merchant) -> None:
    Transaction.objects.update(country="Q0", method="COPPERPAY", method_title="", charge_currency="XXX")
    assert offered(copper, "project") == [(KETTLE, "Kettle Quest")]
    assert offered(copper, "country") == [("Q0", "Q0")]
    assert offered(copper, "method") == [("COPPERPAY", "COPPERPAY")]
    assert not {("Q0", "Q0"), ("COPPERPAY", "COPPERPAY"), ("XXX", "XXX"), (KETTLE, "Kettle Quest")} & {
        each for name in ("country", "method", "currency", "project") for each in offered(lantern, name)
    }


def test_the_newest_title_of_a_method_is_shown(lantern: Merchant) -> None:
    rows.fill(lantern)
    newest = Transaction.objects.filter(method="QIWI").order_by("-created_at", "-uuid").first()
    Transaction.objects.filter(pk=newest.pk).update(method_title="QIWI Pay")
    assert ("QIWI", "QIWI Pay") in offered(lantern, "method")


def test_the_choices_are_read_by_one_query_and_then_remembered(lantern: Merchant) -> None:
    rows.fill(lantern)
    for most in (1, 0):
        with CaptureQueriesContext(connection) as captured:
            offered(lantern, "currency")
        assert len(captured) == most


def test_before_the_first_filling_nothing_is_remembered(lantern: Merchant) -> None:
    assert offered(lantern, "currency") == []
    rows.fill(lantern)
    assert offered(lantern, "currency")


@pytest.mark.parametrize("number", [1, 5])
def test_what_is_remembered_lives_for_a_minute_at_most(lantern: Merchant, number: int) -> None:
    rows.fill(lantern, number)
    choices.of(lantern)
    assert 0 < cache._cache.get_client(None).ttl(cache.make_key(f"above-the-list:{lantern.pk}")) <= 60


def test_no_class_of_ours_is_remembered_so_that_no_release_breaks_the_list(
    ann: Person, mirrored: Merchant
) -> None:
    assert ann.browser.get("/transactions/?country=DE").status_code == 200
    client = cache._cache.get_client(None)
    kept = [client.get(key) for key in client.scan_iter(cache.make_key("*")) if b"line:" not in key]
    assert any(b"Bank card" in value for value in kept)
    assert not any(b"transactions." in value for value in kept)


@pytest.mark.parametrize("garbage", [b"", b"\x80\x04nonsense.", b"cgone_module\nGone\n.", b"(dp0\n."])
def test_what_cannot_be_read_in_the_cache_is_read_from_the_database(
    ann: Person, mirrored: Merchant, garbage: bytes
) -> None:
    client = cache._cache.get_client(None)
    key = cache.make_key(f"above-the-list:{mirrored.pk}")
    client.set(key, garbage)
    assert ("EUR", "EUR") in offered(mirrored, "currency")
    assert ann.browser.get("/transactions/").status_code == 200
    assert client.get(key) != garbage
