"""The card shows what only webhooks tell: receipts, tax, and what the game passed along."""

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet

from fulfillment import inbox
from merchant.models import Merchant, Project
from tests.conftest import Person, person
from tests.merchant.examples import load
from tests.transactions.test_pages import keep, seen, text
from transactions.models import Transaction

CARD = "admin.order.simple.processed.card.json"
RECEIPT = "https://checkout.example.com/pay/receipt/purchase/"


def heard(project: Project, name: str = "simple", **changes: object) -> Any:
    """A webhook of the contract that has been stored, with other members in its object."""
    envelope = json.loads(load(f"webhook.payment.success.{name}.json")["raw_body"])
    envelope["object"] |= changes
    inbox.store(project, inbox.Delivery(json.dumps(envelope).encode()))
    return envelope["object"]


def page_of(person: Person, entry: Transaction) -> str:
    return seen(text(person.browser, f"/transactions/{entry.pk}/"))


def test_receipt_tax_and_metadata_are_shown(ann: Person, lantern: Merchant, harbour: Project) -> None:
    entry = keep(lantern, CARD)
    assert "Receipt and tax" not in page_of(ann, entry)
    heard(harbour)
    page = page_of(ann, entry)
    for words in (
        "Sold as Payment without items",
        "Price before tax €9.99",
        "VAT (19%) €1.90",
        "Passed along by the game invoiceId LH-100417",
        "Receipt sent to mara.lindqvist@example.com",
        f"Receipt {RECEIPT}",
    ):
        assert words in page
    assert f'href="{RECEIPT}' in text(ann.browser, f"/transactions/{entry.pk}/")


def test_what_the_customer_gets_is_masked_for_accounting(lantern: Merchant, harbour: Project) -> None:
    entry = keep(lantern, CARD)
    heard(harbour)
    page = page_of(person(lantern, "accountant", "accounting"), entry)
    assert "mara.lindqvist" not in page
    assert RECEIPT not in page
    assert "invoiceId LH-100417" in page


def test_the_charge_of_a_currency_with_three_decimals_is_shown_to_the_last_one(
    ann: Person, lantern: Merchant, harbour: Project
) -> None:
    entry = keep(lantern, "admin.order.simple.processed.bhd.json")
    told = heard(harbour, "bhd")
    page = page_of(ann, entry).replace("\xa0", " ")
    assert told["charge_amount"] == 12.345
    assert "Charged, to the last decimal BHD 12.345" in page


def test_the_newest_webhook_is_believed(ann: Person, lantern: Merchant, harbour: Project) -> None:
    entry = keep(lantern, CARD)
    heard(harbour, metadata={"level": "one"})
    heard(harbour, metadata={"level": "two"})
    assert "level two" in page_of(ann, entry)


@pytest.mark.parametrize(
    "changes",
    [
        {"tax": None, "metadata": None, "receipt_url": None},
        {"tax": [], "metadata": "x", "receipt_url": {"a": 1}, "type": ["?"], "canceled_at": 5},
        {"tax": {"rate": 1e300, "amount": "x", "currency": "EUR"}, "original_amount": True, "currency": 5},
        {"tax": {"rate": 1e-300, "amount": 1, "currency": "EUR", "type": {}}, "charge_amount": "1e999"},
        {"receipt_url": "javascript:alert(1)", "metadata": {"<b>": "<script>alert(1)</script>"}},
    ],
)
def test_odd_webhooks_do_not_break_the_card(
    ann: Person, lantern: Merchant, harbour: Project, changes: dict[str, object]
) -> None:
    entry = keep(lantern, CARD)
    heard(harbour, **changes)
    page = text(ann.browser, f"/transactions/{entry.pk}/")
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page


def test_test_webhooks_and_those_of_another_merchant_tell_nothing(
    ann: Person, lantern: Merchant, copper: Merchant, harbour: Project
) -> None:
    entry = keep(lantern, CARD)
    heard(harbour, testing_case="correct_payment")
    heard(copper.projects.get())
    assert "Receipt and tax" not in page_of(ann, entry)


def test_a_webhook_kept_under_a_lost_key_does_not_break_the_card(
    ann: Person, lantern: Merchant, harbour: Project, settings
) -> None:
    entry = keep(lantern, CARD)
    heard(harbour)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    page = page_of(ann, entry)
    assert "Charged" in page
    assert "Not readable: it was kept under a key that is not in use any more." in page
