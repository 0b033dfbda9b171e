"""All mails to customers on one page: found by filters, the failing ones with their reason."""

import datetime as dt
import html
import re

import pytest
from django.utils import timezone

from fulfillment.models import Message
from merchant.models import Merchant, Project
from tests.conftest import HARBOUR, SNOW, Person, person
from tests.fulfillment.desk import Desk, mirrored_order
from transactions.models import Transaction

PAGE = "/messages/"


@pytest.fixture
def paid(lantern: Merchant, desk: Desk) -> Transaction:
    """An order that mails tell of."""
    return mirrored_order(lantern, desk, project_id=HARBOUR)


def mail(order: Transaction, to: str, **known: object) -> Message:
    values = {"kind": "payment", "state": "sent", "try_at": timezone.now(), "key": f"of {to}"} | known
    mine = {"merchant_id": order.merchant_id, "project_id": order.project_id, "transaction": order}
    return Message.objects.create(**mine | values, recipient=to)


def text(who: Person, query: str = "") -> str:
    answer = who.browser.get(PAGE + query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_failing_mail_says_why_and_when_it_is_tried_again(ann: Person, paid: Transaction) -> None:
    mail(paid, "a@shop.example", state="failed", outcome="The mail server is busy.", tries=3)
    shown = text(ann)
    assert "1 failing" in shown
    assert "The mail server is busy." in shown
    assert "Next try" in shown
    assert "after 3 tries" in shown
    assert f"/transactions/{paid.pk}/mail/" in shown


@pytest.mark.parametrize("state", ["failed", "bounced", "gave_up", "unknown"])
def test_failing_is_what_needs_a_look(ann: Person, paid: Transaction, state: str) -> None:
    mail(paid, "bad@shop.example", state=state)
    mail(paid, "good@shop.example")
    shown = text(ann, "?state=trouble")
    assert "bad@shop.example" in shown
    assert "good@shop.example" not in shown


def test_every_filter_finds_its_own(ann: Person, paid: Transaction) -> None:
    snow = Project.objects.get(paysuper_id=SNOW)
    mail(paid, "one@shop.example")
    mail(paid, "two@shop.example", kind="key", state="waiting", project_id=snow.pk)
    old = mail(paid, "old@shop.example", kind="refund")
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=40))
    for query, found in {
        "?state=sent": {"one", "old"},
        "?state=open": {"two"},
        "?kind=refund": {"old"},
        f"?project={SNOW}": {"two"},
        "?address=ONE@shop.example": {"one"},
        "?period=last_7_days": {"one", "two"},
        f"?last={timezone.now() - dt.timedelta(days=30):%Y-%m-%d}": {"old"},
        "?state=": {"one", "two", "old"},
        "?cursor=nonsense": {"one", "two", "old"},
    }.items():
        shown = text(ann, query).partition("</form> <ul")[2]
        assert {name for name in ("one", "two", "old") if f"{name}@shop" in shown} == found, query


@pytest.mark.parametrize(
    "query", ["?state=x", "?first=2026-02-01&last=2026-01-01", "?project=x", "?address=%00", "?first=x"]
)
def test_filters_that_make_no_sense_say_so(ann: Person, paid: Transaction, query: str) -> None:
    mail(paid, "one@shop.example")
    shown = text(ann, query)
    assert "make no sense" in shown
    assert "one@shop.example" not in shown


def test_who_sees_no_persons_sees_masked_addresses_and_cannot_search_them(
    vera: Person, paid: Transaction
) -> None:
    mail(paid, "somebody@shop.example", state="bounced")
    shown = text(vera)
    assert "somebody@shop.example" not in shown
    assert 'name="address"' not in shown
    assert "Send again" not in shown
    assert "Receipt" in text(vera, "?address=nobody@shop.example")


def test_many_mails_are_paged_and_cost_the_same(
    ann: Person, paid: Transaction, django_assert_max_num_queries
) -> None:
    for number in range(60):
        mail(paid, f"m{number}@shop.example")
    with django_assert_max_num_queries(12):
        first = text(ann)
    assert "Older" in first
    assert "m59@" in first
    older = html.unescape(re.search(r'href="(\?cursor=older[^"]+)"', first)[1])
    second = text(ann, older)
    assert ("m9@" in second, "m10@" in second, "Older" in second) == (True, False, False)
    mail(paid, "later@shop.example")  # what arrives meanwhile moves nothing
    assert "m9@" in text(ann, older)
    assert "m9@" not in text(ann, re.search(r'href="(\?cursor=newer[^"]+)"', second)[1])


def test_a_foreign_merchants_mails_are_not_there(cleo: Person, paid: Transaction) -> None:
    mail(paid, "one@shop.example")
    assert "No mails yet" in text(cleo)


def test_an_accountant_reads_the_list(lantern: Merchant, paid: Transaction) -> None:
    mail(paid, "one@shop.example")
    assert "one@shop.example" not in text(person(lantern, "kim", "accounting"))
