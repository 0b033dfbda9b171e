"""Orders with several items are handed over item by item, and what is out is known after any re-reading."""

import pytest
from django.db.models import Count

from fulfillment import actions, items, rules, timeline
from fulfillment.models import Action, FulfilledItem
from merchant.models import AuditEvent, Membership, Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh
from tests.fulfillment.test_fulfil import address
from tests.fulfillment.test_server_calls_once import at_once
from transactions import sync
from transactions.models import TO_FULFIL, Item, Transaction


@pytest.fixture
def basket(mirrored: Merchant) -> Transaction:
    """A paid order with two items or more."""
    paid = Transaction.objects.filter(TO_FULFIL).annotate(count=Count("items"))
    return paid.filter(count__gte=2).order_by("-count", "uuid").first()


def values(entry: Transaction) -> list[str]:
    return [each.value for each in items.states(entry)]


def keys(entry: Transaction, *, given: bool) -> list[items.Key]:
    return [each.key for each in items.states(fresh(entry)) if each.is_fulfilled == given]


def test_one_item_makes_the_order_partly_fulfilled_and_the_rest_makes_it_whole(
    ben: Person, basket: Transaction
) -> None:
    first, *rest = values(basket)
    ben.browser.post(address(basket), {"items": first, "note": "by mail", "reference": "DHL 1"})
    assert fresh(basket).fulfilment == "partly"
    action = Action.objects.get()
    assert (action.handover_reference, action.note) == ("DHL 1", "by mail")
    assert action.items_in_words == items.states(basket)[0].title
    page = ben.browser.get(f"/transactions/{basket.pk}/").content.decode()
    assert "Partly fulfilled" in page
    assert "Still to hand over" in page
    assert "DHL 1" in page
    form = ben.browser.get(address(basket)).content.decode()
    assert f'value="{first}"' not in form
    assert all(f'value="{value}"' in form for value in rest)
    ben.browser.post(address(basket), {"items": rest})
    assert (fresh(basket).fulfilment, keys(basket, given=False)) == ("fulfilled", [])


def test_without_a_choice_everything_that_is_left_is_handed_over(ben: Person, basket: Transaction) -> None:
    actions.fulfil(basket, ben.membership, "", chosen=keys(basket, given=False)[:1])
    actions.fulfil(basket, ben.membership, "")
    assert fresh(basket).fulfilment == "fulfilled"
    assert FulfilledItem.objects.filter(transaction=basket).count() == basket.items.count()


def test_a_form_with_no_item_chosen_is_not_taken_for_the_whole_order(
    ben: Person, basket: Transaction
) -> None:
    answer = ben.browser.post(address(basket), {"note": "x", "by_item": "True"})
    assert "Choose at least one item" in answer.content.decode()
    assert fresh(basket).fulfilment == "unfulfilled"
    assert 'name="by_item" value="True"' in ben.browser.get(address(basket)).content.decode()
    ben.browser.post(address(basket), {"note": "x"})
    assert fresh(basket).fulfilment == "fulfilled"


@pytest.mark.parametrize("nonsense", ["", "0~nothing", "9999999999999999999~x", "~", "\0"])
def test_items_that_the_order_does_not_have_are_turned_away(
    ben: Person, basket: Transaction, nonsense: str
) -> None:
    assert ben.browser.post(address(basket), {"items": nonsense}).status_code == 200
    assert fresh(basket).fulfilment == "unfulfilled"


def test_items_are_taken_back_one_by_one_or_all_with_a_reason(ben: Person, basket: Transaction) -> None:
    actions.fulfil(basket, ben.membership, "")
    first, *rest = values(basket)
    ben.browser.post(address(basket, "unfulfil"), {"items": first, "note": " "})
    assert fresh(basket).fulfilment == "fulfilled"
    ben.browser.post(address(basket, "unfulfil"), {"items": first, "note": "broken"})
    assert (fresh(basket).fulfilment, len(keys(basket, given=False))) == ("partly", 1)
    ben.browser.post(address(basket, "unfulfil"), {"items": rest, "note": "all of it"})
    assert (fresh(basket).fulfilment, FulfilledItem.objects.count()) == ("unfulfilled", 0)


def test_what_was_fulfilled_before_items_were_noted_can_be_taken_back_in_parts(
    ben: Person, basket: Transaction
) -> None:
    Transaction.objects.filter(pk=basket.pk).update(fulfilment="fulfilled")
    chosen = keys(basket, given=True)[:1]
    actions.unfulfil(fresh(basket), ben.membership, "x", chosen=chosen)
    assert (fresh(basket).fulfilment, keys(basket, given=False)) == ("partly", chosen)


def test_what_is_out_is_known_after_the_mirror_wrote_its_items_anew(
    ben: Person, basket: Transaction, desk: Desk, mirrored: Merchant
) -> None:
    chosen = keys(basket, given=False)[1:]
    actions.fulfil(basket, ben.membership, "", chosen=chosen)
    before = set(basket.items.values_list("pk", flat=True))
    desk.charge_back(basket.pk)
    sync.refresh(mirrored, basket.pk)
    assert before.isdisjoint(basket.items.values_list("pk", flat=True))
    assert (keys(basket, given=True), fresh(basket).fulfilment) == (chosen, "partly")


def test_what_is_out_is_known_when_the_items_come_in_another_order(ben: Person, basket: Transaction) -> None:
    for position, product in enumerate(("sword", "shield", "sword")):
        Item.objects.filter(transaction=basket, position=position).delete()
        add(basket, position, product)
    Item.objects.filter(transaction=basket, position__gt=2).delete()
    actions.fulfil(basket, ben.membership, "", chosen=[("sword", 1), ("shield", 0)])
    Item.objects.filter(transaction=basket).delete()
    for position, product in enumerate(("shield", "sword", "sword")):
        add(basket, position, product)
    assert [each.is_fulfilled for each in items.states(fresh(basket))] == [True, False, True]


def add(entry: Transaction, position: int, product: str) -> None:
    Item.objects.create(
        merchant=entry.merchant,
        transaction=entry,
        position=position,
        product_id=product,
        amount=1,
        name=product,
    )


@pytest.mark.django_db(transaction=True)
def test_two_colleagues_hand_an_item_over_once(ann: Person, ben: Person, basket: Transaction) -> None:
    chosen, people = keys(basket, given=False)[:1], [ann, ben]
    results = at_once(lambda: actions.fulfil(basket, people.pop().membership, "", chosen=chosen), 2)
    assert "Choose items that are not fulfilled yet. Look at the order again." in results
    assert (Action.objects.count(), FulfilledItem.objects.count()) == (1, 1)


def test_a_refund_of_a_fulfilled_order_proposes_to_withdraw_and_does_nothing_by_itself(
    ben: Person, basket: Transaction, desk: Desk, mirrored: Merchant
) -> None:
    actions.fulfil(basket, ben.membership, "")
    assert not rules.needs_withdrawal(fresh(basket))
    desk.charge_back(basket.pk)
    sync.refresh(mirrored, basket.pk)
    assert fresh(basket).fulfilment == "fulfilled"
    page = ben.browser.get(f"/transactions/{basket.pk}/").content.decode()
    assert "The money of this order went back" in page
    assert str(basket.pk) in ben.browser.get("/to-fulfil/?list=withdraw").content.decode()
    assert ben.browser.post(address(basket, "withdraw"), {"note": " "}).status_code == 200
    ben.browser.post(address(basket, "withdraw"), {"note": "keys switched off"})
    assert fresh(basket).fulfilment == "withdrawn"
    assert "Nothing to withdraw" in ben.browser.get("/to-fulfil/?list=withdraw").content.decode()
    assert "went back, but" not in ben.browser.get(f"/transactions/{basket.pk}/").content.decode()
    assert AuditEvent.objects.get(event="withdraw.done").data["note"] == "keys switched off"
    assert timeline.events(fresh(basket))[0].title == "Fulfilment withdrawn"


@pytest.mark.parametrize("parts", [True, False])
def test_a_withdrawal_can_be_undone(
    ben: Person, basket: Transaction, desk: Desk, mirrored: Merchant, parts: bool
) -> None:
    actions.fulfil(basket, ben.membership, "", chosen=keys(basket, given=False)[:1] if parts else None)
    desk.charge_back(basket.pk)
    sync.refresh(mirrored, basket.pk)
    actions.withdraw(fresh(basket), ben.membership, "x")
    with pytest.raises(actions.Blocked, match="undo that first"):
        actions.unfulfil(fresh(basket), ben.membership, "x")
    assert ben.browser.post(address(basket, "restore"), {"note": "still there"}).status_code == 302
    assert fresh(basket).fulfilment == ("partly" if parts else "fulfilled")


ROW = {"type": "order", "status": "refunded", "fulfilment": "fulfilled", "refund_state": "refunded"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"status": "chargeback"}, ""),
        ({"fulfilment": "partly"}, ""),
        ({"status": "processed"}, "refunded or charged back"),
        ({"fulfilment": "unfulfilled"}, "not fulfilled"),
        ({"fulfilment": "withdrawn"}, "has been withdrawn"),
        ({"type": "refund"}, "refunded or charged back"),
    ],
)
def test_withdrawing_is_blocked_with_its_reason(change: dict[str, str], words: str) -> None:
    blocker = rules.withdraw_blocker(ROW | change, Membership(role="support"))
    assert words in blocker
    assert bool(blocker) == bool(words)


@pytest.mark.parametrize("act", [rules.withdraw_blocker, rules.restore_blocker])
def test_only_some_roles_withdraw(act) -> None:
    assert "role" in act(ROW, Membership(role="accounting"))
