"""Workers die and bells ring too often or not at all: a refund is sent once, and none is forgotten."""

import random
from collections.abc import Callable

import httpx2
import pytest
from django.utils import timezone

from fulfillment import actions, tasks
from fulfillment.models import Action
from merchant import audit
from merchant.models import AuditEvent, Merchant
from merchant.paysuper import client
from tests.conftest import Person
from tests.faults.breaking import State, at_once, broken, trouble
from tests.fulfillment.desk import (
    Desk,
    ask,
    broker_down,
    earlier,
    fresh,
    mirrored_order,
    settle,
    settled,
)
from transactions.models import Transaction

pytestmark = pytest.mark.usefixtures("hurried")


# The worker dies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_died_while_sending_is_found_out_and_nothing_is_sent_again(
    ann: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    send = client.Client.create_refund

    def dying(*arguments: object) -> None:
        if when == "after":
            send(*arguments)
        raise SystemExit

    action = ask(order, ann)
    with broken(monkeypatch, client.Client, "create_refund", dying), pytest.raises(SystemExit):
        tasks.run_action(action.pk)
    action = fresh(action)
    assert (action.state, fresh(order).refund_state) == (State.SENDING, State.SENDING)
    tasks.run_action(action.pk)
    assert settle(action).state == State.SENDING  # it may still be alive
    assert (action.pk, "sending") not in actions.due()
    action = earlier(action, minutes=4)
    assert (action.pk, "sending") in actions.due()
    if when == "after":
        assert settled(action, State.REFUNDED)
    else:
        assert settle(action).state == State.UNKNOWN
        assert settle(earlier(action, minutes=11)).state == State.NEEDS_PERSON
    assert desk.posts(order.pk) == len(desk.refunds(order.pk)) == (when == "after")


def test_a_worker_that_died_before_it_claimed_loses_nothing(
    ann: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: object) -> None:
        raise SystemExit

    action = ask(order, ann)
    with broken(monkeypatch, client.Client, "refunds", dying), pytest.raises(SystemExit):
        tasks.run_action(action.pk)
    assert actions.due() == [(action.pk, "requested")]
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)


def test_a_change_of_state_and_its_audit_stand_or_fall_together(
    ann: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise RuntimeError("the database went away")

    action = ask(order, ann)
    with broken(monkeypatch, audit, "record", failing), pytest.raises(RuntimeError):
        tasks.run_action(action.pk)
    assert (fresh(action).state, fresh(order).refund_state) == (State.REQUESTED, State.REQUESTED)
    assert desk.posts(order.pk) == 0
    another = mirrored_order(action.merchant, desk)
    with broken(monkeypatch, audit, "record", failing), pytest.raises(RuntimeError):
        ask(another, ann)
    assert Action.objects.count() == 1
    assert AuditEvent.objects.filter(event__startswith="refund.").count() == 1


# The bell rings too often, or not at all ----------------------------------------------------------


def test_a_task_that_is_delivered_three_times_sends_once(ann: Person, desk: Desk, order: Transaction) -> None:
    action = ask(order, ann)
    for _ in range(3):
        tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)
    for _ in range(3):
        tasks.run_action(action.pk)
        tasks.settle_action(action.pk)
    assert desk.posts(order.pk) == desk.completed(order.pk) == 1


@pytest.mark.django_db(transaction=True)
def test_a_task_on_four_workers_at_once_sends_once_even_if_paysuper_would_refund_twice(
    ann: Person, desk: Desk, lantern: Merchant
) -> None:
    desk.fault("no_race_guard", count=None, seconds=0.05)
    asked = [ask(mirrored_order(lantern, desk), ann) for _ in range(5)]
    for action in asked:
        at_once(4, lambda action=action: tasks.run_action(action.pk))
    for action in asked:
        at_once(3, lambda action=action: tasks.settle_action(action.pk))
        settled(action, State.REFUNDED)
        books = desk.refunds(action.transaction_id)
        assert (desk.posts(action.transaction_id), len(books)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_is_no_trouble_of_the_person_and_the_sweeper_rings_later(
    ben: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broker_down():
        answer = ben.browser.post(f"/transactions/{order.pk}/refund/", form(order))
    assert answer.status_code == 302
    action = Action.objects.get()
    assert actions.due() == [(action.pk, "requested")]
    rung: list[int] = []
    monkeypatch.setattr(tasks.run_action, "delay", rung.append)
    tasks.sweep_actions()
    assert rung == [action.pk]


def form(order: Transaction) -> dict[str, object]:
    return {
        "reason": "Customer's request",
        "seen_amount": order.charge_amount,
        "seen_currency": order.charge_currency,
    }


def test_the_sweeper_rings_the_right_bell_for_every_waiting_state(
    ann: Person, desk: Desk, lantern: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks.run_action, "delay", lambda pk: rung.append(("run", pk)))
    monkeypatch.setattr(tasks.settle_action, "delay", lambda pk: rung.append(("settle", pk)))
    expected = []
    for state in State.values:
        action = ask(mirrored_order(lantern, desk), ann)
        Action.objects.filter(pk=action.pk).update(state=state)
        if state in Action.OPEN and state != State.AWAITING_APPROVAL:  # which waits for people
            expected.append(("run" if state == State.REQUESTED else "settle", action.pk))
    tasks.sweep_actions()
    assert sorted(rung) == sorted(expected)


# All at once --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_in_whatever_order_money_moves_once_and_nothing_is_forgotten(
    ann: Person, desk: Desk, lantern: Merchant, seed: int
) -> None:
    chance = random.Random(seed)
    trouble(desk)
    asked = [ask(mirrored_order(lantern, desk), ann) for _ in range(16)]
    steps: list[Callable[[], object]] = []
    for action in asked * 6:
        task = chance.choice([tasks.run_action, tasks.run_action, tasks.settle_action, late_look])
        steps.append(lambda task=task, pk=action.pk: task(pk))
    chance.shuffle(steps)
    shared = iter(steps)
    at_once(4, lambda: [step() for step in shared_between_threads(shared)])
    desk.heal()
    for action in asked:
        finish(action)
    for action in asked:
        check_against_the_books(desk, fresh(action))


def late_look(action_id: int) -> None:
    """A worker is taken for dead too early."""
    Action.objects.filter(pk=action_id).update(look_at=timezone.now())
    tasks.settle_action(action_id)


def finish(action: Action) -> None:
    """Time passes at a PaySuper in good health; the clock rings."""
    for minutes in (0, 4, 11):
        action = earlier(action, minutes=minutes) if minutes else fresh(action)
        for _ in range(4):
            if action.state == State.REQUESTED:
                tasks.run_action(action.pk)
            elif action.is_open:
                settle(action)
            action = fresh(action)


def check_against_the_books(desk: Desk, action: Action) -> None:
    books = desk.refunds(action.transaction_id)
    assert len(books) <= 1
    assert action.state in (State.REFUNDED, State.ACCEPTED, State.NEEDS_PERSON), action.outcome
    if action.state == State.ACCEPTED:
        action = settled(action, State.REFUNDED)
    assert (action.state == State.REFUNDED) == (desk.completed(action.transaction_id) == 1) == bool(books)
    assert fresh(action.transaction).refund_state == action.state
    assert (action.state == State.NEEDS_PERSON) == (action.look_at > timezone.now() and action.is_open)


def shared_between_threads(steps):
    """Each step is taken by one of the threads."""
    while (step := next(steps, None)) is not None:
        yield step


def test_the_faults_of_these_tests_really_happen(desk: Desk, order: Transaction) -> None:
    path = f"/admin/api/v1/order/{order.pk}/refunds"
    desk.fault("reset")
    with pytest.raises(httpx2.HTTPError):
        desk.api.post(path, json={"amount": 1})
    desk.fault("lost_answer")
    with pytest.raises(httpx2.HTTPError):
        desk.api.post(path, json={"amount": 1})
    assert len(desk.refunds(order.pk)) == 1
