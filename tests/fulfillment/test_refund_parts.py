"""Parts of a charge go back only where PaySuper honours amounts, and never more than the charge in sum."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone

from fulfillment import actions, amounts, rehearsal, tasks
from fulfillment.forms import REASONS
from fulfillment.models import Action
from merchant.models import Merchant, RefundRules
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import LANTERN, Person, connect, person
from tests.fulfillment.desk import Desk, ask, earlier, fresh, mirrored_order, sent, settle, settled
from tests.merchant.sandbox_client import client
from tests.merchant.sandbox_receiver import eventually
from transactions import sync
from transactions.models import Transaction

State = Action.State


@pytest.fixture
def old_desk() -> Iterator[Desk]:
    """A PaySuper of 2019."""
    with (
        Sandbox(orders=30, seed=5, refund_delay=0.05, webhook_url="", generation=2019) as paysuper,
        client(paysuper) as api,
    ):
        yield Desk(api)


@pytest.fixture
def old(db: None, old_desk: Desk) -> Merchant:
    """A merchant there, who knows that it honours amounts."""
    merchant = connect(
        LANTERN, "Lantern Works GmbH", str(old_desk.api.base_url), "sandbox-lantern-owner-token"
    )
    Merchant.objects.update(generation="2019")
    RefundRules.objects.update(allows_parts=True)
    return fresh(merchant)


@pytest.fixture
def eve(old: Merchant) -> Person:
    return person(old, "eve", "support")


@pytest.fixture
def paid(old: Merchant, old_desk: Desk) -> Transaction:
    """An order of €20."""
    return mirrored_order(old, old_desk, currency="EUR", amount=20)


def part(entry: Transaction, who: Person, amount: str) -> Action:
    rules = RefundRules.of(entry.merchant)
    return actions.request_refund(
        entry,
        who.membership,
        reason=REASONS[0],
        note="",
        seen=(amounts.left(entry, rules), entry.charge_currency),
        amount=Decimal(amount),
    )


def given_back(entry: Transaction, who: Person, amount: str) -> Action:
    action = part(fresh(entry), who, amount)
    tasks.run_action(action.pk)
    return settled(action, State.REFUNDED)


def left(entry: Transaction) -> Decimal:
    return amounts.left(fresh(entry), RefundRules.of(entry.merchant))


def test_a_part_goes_back_and_the_rest_afterwards(
    eve: Person, old: Merchant, old_desk: Desk, paid: Transaction
) -> None:
    given_back(paid, eve, "7.50")
    assert fresh(paid).status == "processed"
    assert left(paid) == Decimal("12.50")  # by our own knowledge, the row has not come yet
    sync.sync(old, until=timezone.now() + dt.timedelta(seconds=1))
    assert Transaction.objects.get(parent_uuid=paid.pk).type == "refund"
    assert left(paid) == Decimal("12.50")  # and not twice, now that it has
    given_back(paid, eve, "12.50")
    booked = sorted(each["amount"] for each in old_desk.refunds(paid.pk))
    assert booked == [7.5, 12.5]
    assert left(paid) == 0
    assert fresh(paid).status == "refunded"


def test_without_an_amount_all_that_is_left_goes_back(eve: Person, old_desk: Desk, paid: Transaction) -> None:
    given_back(paid, eve, "7.50")
    entry = fresh(paid)
    action = actions.request_refund(
        entry, eve.membership, reason=REASONS[0], note="", seen=(Decimal("12.50"), "EUR")
    )
    assert action.amount == Decimal("12.50")


@pytest.mark.parametrize("amount", ["0", "-1", "20.01", "1000", "0.001", "19.999"])
def test_a_part_is_more_than_nothing_less_than_the_rest_and_whole_cents(
    eve: Person, paid: Transaction, amount: str
) -> None:
    with pytest.raises(actions.Blocked, match="can go back"):
        part(paid, eve, amount)
    assert not Action.objects.exists()


def test_one_part_at_a_time(eve: Person, paid: Transaction) -> None:
    part(paid, eve, "5")
    with pytest.raises(actions.Blocked, match="under way"):
        part(fresh(paid), eve, "5")


def test_a_rest_that_shrank_meanwhile_is_shown_and_nothing_is_asked_for(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    given_back(paid, eve, "7.50")
    with pytest.raises(actions.Changed, match=r"was €20\.00 and is €12\.50"):
        ask(fresh(paid), eve)


def test_a_part_given_back_past_us_is_counted_when_its_row_has_come(
    eve: Person, old: Merchant, old_desk: Desk, paid: Transaction
) -> None:
    path = f"/admin/api/v1/order/{paid.pk}/refunds"
    assert old_desk.api.post(path, json={"amount": 15, "reason": "by hand"}).status_code == 201
    # The mirror does not know yet: PaySuper's list does, before anything is sent.
    action = part(paid, eve, "10")
    eventually(lambda: old_desk.completed(paid.pk) == 1)
    tasks.run_action(action.pk)
    assert fresh(action).state == State.REFUSED
    assert old_desk.posts(paid.pk) == 1
    sync.sync(old, until=timezone.now() + dt.timedelta(seconds=1))
    assert left(paid) == 5
    given_back(paid, eve, "5")
    assert old_desk.completed(paid.pk) == 2


def test_a_lost_answer_to_a_part_is_adopted_and_not_sent_again(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    given_back(paid, eve, "5")
    old_desk.fault("lost_answer")
    action = part(fresh(paid), eve, "5")
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)
    assert [each["amount"] for each in old_desk.refunds(paid.pk)] == [5, 5]


def test_a_refusal_that_stays_at_0_needs_a_person_there(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    old_desk.plan("refused", count=1)
    action = settle(sent(paid, eve))
    assert action.state == State.UNKNOWN
    assert settle(earlier(action, minutes=11)).state == State.NEEDS_PERSON


def test_parts_of_one_order_count_together_against_the_limit(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    RefundRules.objects.update(limit_support=10, limit_currency="EUR")
    assert given_back(paid, eve, "6").needs_approval is False
    assert part(fresh(paid), eve, "5").state == State.AWAITING_APPROVAL


# Where it is not honoured -------------------------------------------------------------------------


@pytest.mark.parametrize("rules", [{"generation": "2021"}, {"allows_parts": False}])
def test_the_amount_is_fixed_where_parts_are_not_honoured(
    eve: Person, paid: Transaction, rules: dict[str, object]
) -> None:
    Merchant.objects.update(generation=rules.get("generation", "2019"))
    RefundRules.objects.update(allows_parts=rules.get("allows_parts", True))
    entry = fresh(paid)
    with pytest.raises(actions.Blocked, match="the whole charge only"):
        part(entry, eve, "5")
    page = eve.browser.get(f"/transactions/{paid.pk}/refund/").content.decode()
    assert 'name="amount"' not in page
    form = {"reason": REASONS[0], "seen_amount": "20", "seen_currency": "EUR", "amount": "5"}
    assert eve.browser.post(f"/transactions/{paid.pk}/refund/", form).status_code == 302
    assert Action.objects.get().amount == 20


def test_parts_are_off_until_an_owner_says_that_they_are_honoured(old: Merchant) -> None:
    ann = person(old, "ann", "owner")
    RefundRules.objects.all().delete()
    assert RefundRules.of(old).honours_parts is False
    assert "allows_parts" in ann.browser.get("/settings/refunds/").content.decode()
    ann.browser.post("/settings/refunds/", {"undo_seconds": 0, "allows_parts": "on"})
    assert RefundRules.of(old).honours_parts is True
    Merchant.objects.update(generation="2021")
    assert "allows_parts" not in ann.browser.get("/settings/refunds/").content.decode()
    assert RefundRules.of(fresh(old)).honours_parts is False


# Through the browser ------------------------------------------------------------------------------


def test_the_question_lets_the_amount_be_changed_up_to_what_is_left(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    way = f"/transactions/{paid.pk}/refund/"
    given_back(paid, eve, "7.50")
    page = eve.browser.get(way).content.decode()
    assert 'name="amount" value="12.50"' in page
    assert "Up to €12.50 can go back." in page
    form = {"reason": REASONS[0], "seen_amount": "12.5", "seen_currency": "EUR"}
    assert eve.browser.post(way, form | {"amount": "4.25"}).status_code == 302
    assert Action.objects.first().amount == Decimal("4.25")


def test_what_it_costs_follows_the_amount_that_is_typed(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    RefundRules.objects.update(limit_support=10, limit_currency="EUR")
    way, part = f"/transactions/{paid.pk}/refund/", {"HX-Request": "true"}
    whole = eve.browser.get(way, headers=part).content.decode()
    half = eve.browser.get(way, {"amount": "10"}, headers=part).content.decode()
    assert "a second person" in whole
    assert "a second person" not in half
    assert rehearsal.figures(paid, Decimal(10))[2].text in half
    assert rehearsal.figures(paid, Decimal(20))[2].text in whole
    for unreadable in ("many", "-1", "1e99", "NaN"):
        assert eve.browser.get(way, {"amount": unreadable}, headers=part).status_code == 200


@pytest.mark.parametrize("amount", ["", "0", "-3", "NaN", "1e99", "many", "20.01", "3.333"])
def test_an_amount_that_cannot_be_used_asks_for_nothing(eve: Person, paid: Transaction, amount: str) -> None:
    form = {"reason": REASONS[0], "seen_amount": "20", "seen_currency": "EUR", "amount": amount}
    page = eve.browser.post(f"/transactions/{paid.pk}/refund/", form)
    assert page.status_code == 200
    assert 'id="id_amount_error"' in page.content.decode()
    assert not Action.objects.exists()


def test_a_rest_that_shrank_is_shown_old_and_new_with_an_amount_that_fits(
    eve: Person, old_desk: Desk, paid: Transaction
) -> None:
    given_back(paid, eve, "7.50")
    form = {"reason": REASONS[0], "seen_amount": "20", "seen_currency": "EUR", "amount": "20"}
    page = eve.browser.post(f"/transactions/{paid.pk}/refund/", form).content.decode()
    assert "<s>€20.00</s> → <strong>€12.50</strong>" in page
    assert 'name="amount" value="12.5' in page
