"""The owner's page for forgetting a customer: what would go, the words that confirm it, and what was done."""

import re

import pytest
from django.contrib.sessions.models import Session

from fulfillment.models import ServerCall
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, signed_in
from tests.fulfillment.test_erasing import customer, everything, sums, surroundings, telltale
from transactions import mirror
from transactions.models import Transaction

__all__ = ["customer"]
PAGE = "/settings/erase-customer/"


def count(order: Transaction) -> int:
    return len(mirror.entries_of(order.merchant, order.customer_email))


def confirmed(order: Transaction, phrase: str = "") -> dict[str, str]:
    return {"customer": order.customer_email, "typed": phrase or f"ERASE {count(order)}"}


def test_a_search_says_what_would_go_and_changes_nothing(customer: Transaction, ann: Person) -> None:
    surroundings(customer, ann)
    before = everything()
    for asked in (customer.customer_email, f"  {customer.customer_email.upper()} ", customer.customer_id):
        page = ann.browser.post(PAGE, {"customer": asked}).content.decode()
        facts = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", page))
        assert facts["Webhooks"] == facts["Calls of your server"] == facts["Notes"] == "1"
        assert int(facts["Orders and refunds"]) >= 1
        assert "cannot be undone" in page
    assert everything() == before
    assert not AuditEvent.objects.filter(event="customer.erased").exists()


def test_the_typed_words_erase_the_customer_and_sums_stay(customer: Transaction, ann: Person) -> None:
    surroundings(customer, ann)
    known, before, orders = telltale(customer), sums(), count(customer)
    answer = ann.browser.post(PAGE, confirmed(customer), follow=True)
    assert "is forgotten in" in answer.content.decode()
    left = everything()
    assert [each for each in known if each in left] == []
    assert sums() == before
    entry = AuditEvent.objects.get(event="customer.erased")
    assert (entry.user, entry.data["orders"]) == (ann.membership.user, orders)
    assert entry.data["webhooks"] == entry.data["calls"] == entry.data["notes"] == 1
    again = ann.browser.post(PAGE, confirmed(customer, "ERASE 1"))
    assert "No order is known of this customer" in again.content.decode()


@pytest.mark.parametrize("typed", ["", "ERASE", "erase 1", "ERASE 0", "ERASE 999", "\0"])
def test_other_words_erase_nobody(customer: Transaction, ann: Person, typed: str) -> None:
    answer = ann.browser.post(PAGE, {"customer": customer.customer_email, "typed": typed})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert Transaction.objects.get(pk=customer.pk).customer_email


@pytest.mark.parametrize("asked", ["", "nobody@example.com", "\0", "x" * 400, "%", "' OR 1=1"])
def test_nobody_is_found_by_nonsense(mirrored: Merchant, ann: Person, asked: str) -> None:
    answer = ann.browser.post(PAGE, {"customer": asked, "typed": "ERASE 1"})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not AuditEvent.objects.filter(event="customer.erased").exists()


def test_while_something_is_under_way_the_page_says_so(customer: Transaction, ann: Person) -> None:
    surroundings(customer, ann, state="waiting")
    page = ann.browser.post(PAGE, {"customer": customer.customer_email}).content.decode()
    assert "Your server is still to be told" in page
    assert "typed" not in page
    answer = ann.browser.post(PAGE, confirmed(customer), follow=True)
    assert "Nothing was changed" in answer.content.decode()
    assert Transaction.objects.get(pk=customer.pk).customer_email
    assert ServerCall.objects.get().state == "waiting"


def test_an_old_session_gives_its_password_first_and_keeps_no_customer(
    customer: Transaction, ann: Person
) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    assert "reauthenticate" in browser.get(PAGE)["Location"]
    assert browser.post(PAGE, confirmed(customer))["Location"] == PAGE
    assert Transaction.objects.get(pk=customer.pk).customer_email
    stored = [each.get_decoded() for each in Session.objects.all()]
    assert customer.customer_email not in str(stored)


def test_nobody_forgets_customers_of_others(customer: Transaction, cleo: Person, ben: Person) -> None:
    customer.customer_email = "nobody-else@lantern.example"
    customer.save(update_fields=["customer_email"])
    page = cleo.browser.post(PAGE, confirmed(customer)).content.decode()
    assert "No order is known of this customer" in page
    assert ben.browser.post(PAGE, confirmed(customer)).status_code == 403
    assert Transaction.objects.get(pk=customer.pk).customer_email
