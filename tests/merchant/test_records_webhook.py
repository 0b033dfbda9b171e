"""The orders inside webhooks are read with their own names (contract §17)."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from merchant.paysuper.answers import decoded
from merchant.paysuper.errors import Unexpected
from merchant.paysuper.records import Money
from merchant.paysuper.values import instant
from merchant.paysuper.webhook_order import webhook_order
from tests.merchant.examples import FOLDER, load

NAMES = sorted(path.name for path in FOLDER.glob("webhook.*.json") if "validate" not in path.name)


def sent(name: str) -> Any:
    """The object of a webhook of the contract, from the bytes that were signed."""
    return decoded(json.loads((FOLDER / name).read_text())["raw_body"].encode())["object"]


@pytest.mark.parametrize("name", NAMES)
def test_every_webhook_of_the_contract_is_read_exactly(name: str) -> None:
    document, record = sent(name), webhook_order(sent(name))
    assert record.uuid == UUID(document["id"])
    assert (record.status, record.product_type) == (document["status"], document["type"])
    assert record.created_at == instant(document["created_at"])
    assert record.total == Money(Decimal(str(document["amount"])), document["currency"])
    assert record.charge == Money(Decimal(str(document["charge_amount"])), document["charge_currency"])
    assert record.country == document["country"]
    assert record.method == (document["method"] or {}).get("external_id", "")
    assert record.metadata == (document["metadata"] or {})
    assert record.testing_case == document["testing_case"]


def test_orders_of_the_other_two_sources_are_read() -> None:
    for document in [load("system.replace_code.response.json"), *load("s2s.orders.list.json")["items"]]:
        assert webhook_order(document).uuid == UUID(document["id"])


def test_the_charge_keeps_its_third_decimal() -> None:
    assert webhook_order(sent("webhook.payment.success.bhd.json")).charge == Money(Decimal("12.345"), "BHD")


def test_a_made_up_order_is_known_by_its_case() -> None:
    record = webhook_order(sent("webhook.test.correct_payment.json"))
    assert (record.testing_case, record.status) == ("correct_payment", "created")


def test_what_2019_does_not_send_is_blank() -> None:
    document = sent("webhook.payment.success.simple.json")
    for name in ("charge_amount", "charge_currency", "testing_case"):
        del document[name]
    record = webhook_order(document)
    assert (record.charge, record.testing_case) == (Money(), "")


def test_what_the_game_passed_is_cleaned_and_not_shown_in_logs() -> None:
    document = sent("webhook.payment.success.simple.json") | {"metadata": {"clan\0": "\ud800x"}}
    record = webhook_order(document)
    assert record.metadata == {"clan\ufffd": "?x"}
    assert "clan" not in repr(record)


@pytest.mark.parametrize(
    "changes", [{"id": ""}, {"id": "7"}, {"id": None}, {"amount": "much"}, {"method": 7}]
)
def test_an_order_that_cannot_be_read_is_unexpected(changes: dict[str, object]) -> None:
    with pytest.raises(Unexpected):
        webhook_order(sent("webhook.payment.success.simple.json") | changes)
    with pytest.raises(Unexpected):
        webhook_order(sent("webhook.user.validate.json"))
