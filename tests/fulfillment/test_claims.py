"""Who is on an order: one at a time, for a while, longer by acting."""

import datetime as dt

import pytest
from django.utils import timezone

from fulfillment import actions, items
from fulfillment.models import Action, Claim, FulfilmentRule
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, person
from tests.fulfillment.desk import fresh
from tests.fulfillment.test_items import basket
from tests.fulfillment.test_server_calls_once import at_once
from transactions.models import Transaction

__all__ = ["basket"]


def expire(order: Transaction) -> None:
    Claim.objects.filter(transaction=order).update(until=timezone.now())


def test_a_claim_is_seen_by_others_and_keeps_them_off(ann: Person, ben: Person, order: Transaction) -> None:
    assert ann.browser.post(f"/transactions/{order.pk}/claim/").status_code == 302
    assert "You are on it" in ann.browser.get("/to-fulfil/").content.decode()
    page = ben.browser.get("/to-fulfil/").content.decode()
    assert "ann@example.com" in page.split("<tbody>")[1]
    assert "is on it" in page
    with pytest.raises(actions.Blocked, match=r"ann@example\.com is on this order until"):
        actions.fulfil(order, ben.membership, "")
    with pytest.raises(actions.Blocked, match=r"ann@example\.com is on this order"):
        actions.claim(order, ben.membership)
    assert "is on this order" in ben.browser.get(f"/transactions/{order.pk}/fulfil/").content.decode()
    actions.fulfil(order, ann.membership, "")
    assert (fresh(order).fulfilment, Claim.objects.count()) == ("fulfilled", 0)
    assert list(AuditEvent.objects.values_list("event", flat=True)) == ["fulfil.claimed", "fulfil.done"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("taken_before", [True, False])
def test_of_eight_who_press_at_once_one_holds_it(
    lantern: Merchant, ann: Person, order: Transaction, taken_before: bool
) -> None:
    if taken_before:
        actions.claim(order, ann.membership)
        expire(order)
    people = [person(lantern, f"p{number}", "support").membership for number in range(8)]
    results = at_once(lambda: actions.claim(order, people.pop()), 8)
    holders = [each for each in results if isinstance(each, Claim)]
    assert len(holders) == 1
    assert Claim.objects.get().user == holders[0].user
    assert len([each for each in results if "is on this order" in str(each)]) == 7


def test_a_claim_ends_by_itself(ann: Person, ben: Person, order: Transaction) -> None:
    claim = actions.claim(order, ann.membership)
    assert dt.timedelta(minutes=14) < claim.until - timezone.now() <= dt.timedelta(minutes=15)
    expire(order)
    assert actions.current_claim(order) is None
    assert "is on it" not in ben.browser.get("/to-fulfil/").content.decode()
    assert actions.claim(order, ben.membership).user == ben.membership.user


def test_the_project_says_how_long(ann: Person, order: Transaction) -> None:
    FulfilmentRule.objects.create(project=order.project, merchant=order.merchant, claim_minutes=60)
    assert actions.claim(order, ann.membership).until > timezone.now() + dt.timedelta(minutes=59)


def test_who_acts_stays_longer(ann: Person, basket: Transaction) -> None:
    actions.claim(basket, ann.membership)
    soon = timezone.now() + dt.timedelta(minutes=1)
    Claim.objects.update(until=soon)
    actions.fulfil(basket, ann.membership, "", chosen=[items.states(basket)[0].key])
    assert Claim.objects.get().until > soon + dt.timedelta(minutes=10)
    actions.claim(basket, ann.membership)
    assert Claim.objects.count() == 1


def test_a_claim_is_released_by_its_holder_alone(ann: Person, ben: Person, order: Transaction) -> None:
    actions.claim(order, ann.membership)
    with pytest.raises(actions.Blocked, match="not on this order"):
        actions.release(order, ben.membership)
    assert (
        ann.browser.post(f"/transactions/{order.pk}/release/", {"back": "?project=x"}).url
        == "/to-fulfil/?project=x"
    )
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "?next=//evil.example", "\0", "?\0"]
)
def test_the_way_back_leads_nowhere_else(ann: Person, order: Transaction, back: str) -> None:
    where = ann.browser.post(f"/transactions/{order.pk}/claim/", {"back": back}).url
    assert where.startswith(("/to-fulfil/?", f"/transactions/{order.pk}/"))


def test_nobody_claims_what_cannot_be_fulfilled(ann: Person, order: Transaction) -> None:
    actions.fulfil(order, ann.membership, "")
    answer = ann.browser.post(f"/transactions/{order.pk}/claim/", follow=True)
    assert "This order is fulfilled." in answer.content.decode()
    assert not Claim.objects.exists()


@pytest.mark.parametrize("verb", ["claim", "release", "withdraw", "restore"])
def test_a_stranger_finds_no_such_order(cleo: Person, order: Transaction, verb: str) -> None:
    assert cleo.browser.post(f"/transactions/{order.pk}/{verb}/", {"note": "x"}).status_code == 404
    assert (Claim.objects.count(), Action.objects.count()) == (0, 0)
