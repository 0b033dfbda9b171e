"""The work of a bulk action, row by row."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from fulfillment import actions, batches, tasks
from fulfillment.forms import REASONS
from fulfillment.models import Action, Batch, BatchItem
from merchant.models import AuditEvent, Merchant, RefundRules
from tests.conftest import Person
from tests.fulfillment.desk import Desk, ask, broker_down, fresh, settled
from tests.fulfillment.selections import State, confirm, confirmed, previewed, results, said
from transactions.models import Transaction


def done(person: Person, entries: list[Transaction], kind: str = "refund") -> Batch:
    batch = confirmed(person, entries, kind)
    tasks.run_batch(str(batch.pk))
    return fresh(batch)


# The work -----------------------------------------------------------------------------------------


def test_each_row_becomes_a_refund_of_its_own(
    ann: Person, desk: Desk, orders: list[Transaction], hurried: None
) -> None:
    batch = done(ann, orders)
    assert batch.state == "done"
    made = Action.objects.order_by("pk")
    assert [action.transaction_id for action in made] == [entry.pk for entry in orders]
    assert {(a.state, a.reason, a.note, a.requested_by) for a in made} == {
        ("requested", REASONS[0], "bad build", ann.membership.user)
    }
    assert AuditEvent.objects.filter(event="refund.requested").count() == 4
    assert AuditEvent.objects.filter(event="batch.refund").count() == 1
    for action in made:
        tasks.run_action(action.pk)
        settled(action, State.REFUNDED)
        assert desk.posts(action.transaction_id) == desk.completed(action.transaction_id) == 1
    assert batches.progress_of(batch).by_result == {"Refunded": 4}


def test_each_row_is_fulfilled_in_the_name_of_who_asked(ann: Person, orders: list[Transaction]) -> None:
    ask(orders[3], ann)
    batch = done(ann, orders, "fulfil")
    assert said(batch)[3] == ("left_out", "A refund of this order is under way.")
    assert [fresh(entry).fulfilment for entry in orders] == ["fulfilled"] * 3 + ["unfulfilled"]
    assert Action.objects.filter(kind="fulfil", note="bad build", state="done").count() == 3


def test_an_order_that_a_colleague_is_on_is_left_to_the_colleague(
    ann: Person, ben: Person, orders: list[Transaction]
) -> None:
    actions.claim(orders[0], ben.membership)
    batch = confirmed(ann, orders, "fulfil")
    actions.claim(orders[1], ben.membership)
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["left_out", "blocked", "asked", "asked"]
    assert all("ben@example.com is on this order" in verdict for _, verdict in said(batch)[:2])


def test_what_changed_since_the_preview_is_left_alone_with_the_reason(
    ann: Person, ben: Person, orders: list[Transaction]
) -> None:
    batch = confirmed(ann, orders)
    ask(orders[0], ben)
    Transaction.objects.filter(pk=orders[1].pk).update(charge_amount=Decimal("1.23"))
    Transaction.objects.filter(pk=orders[2].pk).update(status="chargeback")
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["blocked"] * 3 + ["asked"]
    words = [verdict for _, verdict in said(batch)]
    assert "already under way" in words[0]
    assert "1.23 now" in words[1]
    assert "charged back" in words[2]
    assert Action.objects.filter(requested_by=ann.membership.user).get().transaction == orders[3]
    assert fresh(batch).state == "done"


def test_a_row_that_was_left_out_of_the_preview_is_not_done_though_it_could_be_by_now(
    ann: Person, orders: list[Transaction]
) -> None:
    Transaction.objects.filter(pk=orders[0].pk).update(status="pending")
    batch = confirmed(ann, orders)
    Transaction.objects.filter(pk=orders[0].pk).update(status="processed")
    tasks.run_batch(str(batch.pk))
    assert not Action.objects.filter(transaction=orders[0]).exists()
    assert Action.objects.count() == 3


def test_who_lost_the_right_or_left_asks_for_nothing_any_more(ann: Person, orders: list[Transaction]) -> None:
    batch = confirmed(ann, orders)
    ann.membership.role = "view_only"
    ann.membership.save()
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("blocked", "Your role may not refund.")] * 4
    ann.membership.role = "owner"
    ann.membership.save()
    batch = confirmed(ann, orders)
    ann.membership.delete()
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("blocked", "Who asked for this is no longer a member.")] * 4
    assert not Action.objects.exists()


def test_rows_above_the_limit_wait_for_a_second_person_and_the_preview_says_so(
    ann: Person, orders: list[Transaction], lantern: Merchant
) -> None:
    Transaction.objects.update(charge_currency="EUR", charge_amount=10)
    Transaction.objects.filter(pk=orders[0].pk).update(charge_amount=1000)
    RefundRules.objects.filter(merchant=lantern).update(limit_owner=100)
    batch = previewed(ann, orders)
    assert (
        said(batch)
        == [("waiting", "Then it waits for the approval of a second person.")] + [("waiting", "")] * 3
    )
    confirm(ann, batch, "REFUND 4")
    tasks.run_batch(str(batch.pk))
    assert said(batch) == [("asked", "")] * 4
    states = [fresh(item.action).state for item in batch.items.all()]
    assert states == ["awaiting_approval", "requested", "requested", "requested"]
    Action.objects.filter(state="requested").update(state=State.REFUNDED)
    page = ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    assert "1 waits for a person" in page


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_batch_can_be_taken_back_before_they_leave(
    ann: Person, desk: Desk, orders: list[Transaction], lantern: Merchant
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(undo_seconds=60)
    batch = done(ann, orders)
    for action in Action.objects.all():
        tasks.run_action(action.pk)
        assert desk.posts(action.transaction_id) == 0
        actions.undo(action, ann.membership)
    assert {row["Result"] for row in results(ann, batch)} == {"Taken back before it was sent"}


def test_where_parts_may_go_back_each_row_gives_back_what_is_left(
    ann: Person, orders: list[Transaction], lantern: Merchant
) -> None:
    RefundRules.objects.filter(merchant=lantern).update(allows_parts=True)
    Merchant.objects.filter(pk=lantern.pk).update(generation="2019")
    Transaction.objects.update(charge_amount=10)
    for entry, earlier in zip(orders[:2], (4, 10), strict=True):
        values = {"amount": earlier, "currency": entry.charge_currency, "reference": str(entry.pk)[:20]}
        Action.objects.create(
            merchant=lantern,
            transaction=entry,
            kind="refund",
            state="refunded",
            requested_by=ann.membership.user,
            **values,
        )
    batch = previewed(Person(fresh(ann.membership), ann.browser), orders[:3])
    assert list(batch.items.values_list("seen_amount", "state")) == [
        (Decimal(6), "waiting"),
        (Decimal(0), "left_out"),
        (Decimal(10), "waiting"),
    ]
    confirm(ann, batch, "REFUND 2")
    tasks.run_batch(str(batch.pk))
    asked = Action.objects.filter(state="requested").values_list("amount", flat=True)
    assert sorted(asked) == [Decimal(6), Decimal(10)]


def test_a_preview_is_not_run(ann: Person, orders: list[Transaction]) -> None:
    batch = previewed(ann, orders)
    tasks.run_batch(str(batch.pk))
    assert (fresh(batch).state, Action.objects.count()) == ("previewed", 0)


def test_a_batch_is_done_in_pieces_and_rings_for_the_rest(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches.running, "PIECE", 3)
    rings: list[str] = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk, **_: rings.append(task.name.split(".")[-1]))
    batch = confirmed(ann, orders)
    tasks.run_batch(str(batch.pk))
    assert [state for state, _ in said(batch)] == ["asked"] * 3 + ["waiting"]
    assert rings == ["run_action"] * 3 + ["run_batch"]
    assert "3 of 4 rows" in ann.browser.get(f"/batches/{batch.pk}/").content.decode()
    tasks.run_batch(str(batch.pk))
    assert rings[4:] == ["run_action"]
    assert fresh(batch).state == "done"


def test_a_row_that_breaks_does_not_stand_in_the_way_of_the_others(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = actions.request_refund

    def failing(entry: Transaction, *rest: object, **named: object) -> Action:
        action = request(entry, *rest, **named)
        if entry == orders[1]:
            raise RuntimeError("a bug")
        return action

    monkeypatch.setattr(actions, "request_refund", failing)
    batch = done(ann, orders)
    assert [state for state, _ in said(batch)] == ["asked", "blocked", "asked", "asked"]
    assert (fresh(orders[1]).refund_state, Action.objects.count()) == ("", 3)


@pytest.mark.django_db(transaction=True)
def test_a_lost_bell_is_rung_again(
    ann: Person, orders: list[Transaction], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = previewed(ann, orders)
    with broker_down():
        assert confirm(ann, batch, "REFUND 4").status_code == 302
    rings: list[str] = []
    monkeypatch.setattr(tasks.run_batch, "delay", rings.append)
    tasks.sweep_batches()
    assert rings == [str(batch.pk)]
    tasks.run_batch(str(batch.pk))
    assert batches.due() == []


def test_previews_that_nobody_confirmed_go_after_a_day(ann: Person, orders: list[Transaction]) -> None:
    old, ran = previewed(ann, orders), confirmed(ann, orders[:1])
    Batch.objects.update(created_at=timezone.now() - dt.timedelta(hours=25))
    young = previewed(ann, orders[1:])
    batches.expire()
    assert set(Batch.objects.all()) == {ran, young}
    assert not BatchItem.objects.filter(batch=old).exists()
