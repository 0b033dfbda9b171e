"""Money moves once: under lost answers, dead workers, repeated bells and a PaySuper that misbehaves."""

import contextlib
import random
import threading
from collections.abc import Callable, Iterator

import httpx2
import pytest
from django.db import connection
from django.utils import timezone

from fulfillment import actions, tasks
from fulfillment.models import Action
from merchant import audit
from merchant.models import AuditEvent, Merchant
from merchant.paysuper import client
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import Person
from tests.fulfillment.desk import (
    Desk,
    ask,
    broker_down,
    earlier,
    fresh,
    mirrored_order,
    sent,
    settle,
    settled,
)
from transactions.models import Transaction

State = Action.State
pytestmark = pytest.mark.usefixtures("hurried")


@contextlib.contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, trouble: object) -> Iterator[None]:
    """One function does something else for a while: what no fault of PaySuper can bring about."""
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, trouble)
        yield


# The answer is lost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost_answer"},
        {"kind": "truncated"},
    ],
)
def test_a_refund_whose_answer_was_lost_is_adopted_by_reading_and_not_sent_again(
    ann: Person, desk: Desk, order: Transaction, fault: dict[str, object]
) -> None:
    desk.fault(**fault)
    action = sent(order, ann)
    assert (action.state, fresh(order).refund_state) == (State.UNKNOWN, State.UNKNOWN)
    action = settled(action, State.REFUNDED)
    assert action.paysuper_refund_id == desk.refunds(order.pk)[0]["id"]
    assert desk.posts(order.pk) == desk.completed(order.pk) == action.attempts == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "body": '{"code":"ma000003","message":"internal"}'},
        {"status": 502, "body": "<html>bad gateway</html>"},
        {"status": 503, "body": ""},
        {"status": 504, "body": "null"},
        {"status": 408, "body": ""},
        {"status": 400, "body": '{"code":"fm000025","message":"storage"}'},
        {"status": 200, "body": '{"message":"hello"}'},
        {"status": 201, "body": "[]"},
        {"status": 201, "body": '{"id":'},
        {"status": 302, "body": ""},
    ],
)
def test_an_answer_that_proves_nothing_is_unknown_and_never_sent_again(
    ann: Person, desk: Desk, order: Transaction, answer: dict[str, object]
) -> None:
    desk.refuse(**answer)
    action = sent(order, ann)
    assert action.state == State.UNKNOWN
    for _ in range(3):
        tasks.run_action(action.pk)
        action = settle(action)
        assert action.state == State.UNKNOWN
    assert desk.posts(order.pk) == 1


def test_a_request_that_was_cut_off_before_it_was_processed_ends_with_a_person(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.fault("reset")
    action = sent(order, ann)
    assert action.state == State.UNKNOWN
    assert settle(earlier(action, minutes=9)).state == State.UNKNOWN
    action = settle(earlier(action, minutes=11))
    assert (action.state, fresh(order).refund_state) == (State.NEEDS_PERSON, State.NEEDS_PERSON)
    assert "may have arrived" in action.outcome
    for _ in range(3):
        tasks.run_action(action.pk)
        assert settle(action).state == State.NEEDS_PERSON
    assert desk.posts(order.pk) == 1
    assert desk.refunds(order.pk) == []


def test_a_refund_that_shows_up_late_is_taken_back_from_the_person(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.fault("lost_answer")
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    desk.refuse(200, '{"count":0,"items":null}', method="GET")
    action = settle(earlier(action, minutes=11))
    assert action.state == State.NEEDS_PERSON
    assert settle(action).state == State.ACCEPTED


def test_a_refusal_for_our_own_lost_try_is_recognised(ann: Person, desk: Desk, order: Transaction) -> None:
    action = ask(order, ann)
    path = f"/admin/api/v1/order/{order.pk}/refunds"
    desk.plan("stuck_at_2")
    mine = {"amount": 1, "reason": f"Customer's request [{action.reference}]"}
    ours = desk.api.post(path, json=mine).json()
    desk.refuse(200, '{"count":0,"items":null}', method="GET")
    tasks.run_action(action.pk)  # meets rf000004
    action = settle(action)
    assert (action.state, action.paysuper_refund_id) == (State.ACCEPTED, ours["id"])
    assert len(desk.refunds(order.pk)) == 1


def test_a_late_answer_does_not_shake_what_has_been_settled_meanwhile(
    ann: Person, desk: Desk, order: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = ask(order, ann)
    send = client.Client.create_refund

    def slow(*arguments: object) -> object:
        # The answer is on its way while somebody else takes the worker for dead and looks.
        answer = send(*arguments)
        Action.objects.filter(pk=action.pk).update(look_at=timezone.now())
        settled(action, State.REFUNDED)
        return answer

    monkeypatch.setattr(client.Client, "create_refund", slow)
    tasks.run_action(action.pk)
    assert (fresh(action).state, fresh(order).refund_state) == (State.REFUNDED, State.REFUNDED)
    assert desk.completed(order.pk) == 1


# PaySuper is away ---------------------------------------------------------------------------------


def test_while_paysuper_is_down_a_refund_waits_and_is_sent_once_when_it_is_back(
    ann: Person, desk: Desk, order: Transaction, paysuper: Sandbox, lantern: Merchant
) -> None:
    Merchant.objects.update(api_url="http://127.0.0.1:1")
    action = sent(order, ann)
    assert (action.state, action.sent_at) == (State.REQUESTED, None)
    assert "Nothing was sent yet" in action.outcome
    assert action.look_at > timezone.now()
    Merchant.objects.update(api_url=paysuper.url)
    for _ in range(2):
        tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)
    assert desk.posts(order.pk) == 1


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_request_that_was_turned_away_at_the_door_is_repeated(
    ann: Person, desk: Desk, order: Transaction, status: int
) -> None:
    desk.refuse(status, '{"message":"not now"}')
    action = sent(order, ann)
    assert (action.state, action.attempts) == (State.REQUESTED, 1)
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED).attempts == 2
    assert desk.completed(order.pk) == 1


def test_what_could_not_be_sent_for_an_hour_is_given_up_and_may_be_asked_for_again(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.refuse(401, "", count=2)
    action = earlier(sent(order, ann), minutes=61)
    tasks.run_action(action.pk)
    action = fresh(action)
    assert (action.state, fresh(order).refund_state) == (State.REFUSED, State.REFUSED)
    assert "Nothing was sent" in action.outcome
    assert settled(sent(fresh(order), ann), State.REFUNDED)


def test_a_list_that_cannot_be_read_before_sending_keeps_the_refund_at_home(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.refuse(500, "", method="GET", count=None)
    action = sent(order, ann)
    assert (action.state, desk.posts(order.pk)) == (State.REQUESTED, 0)
    desk.heal()
    tasks.run_action(action.pk)
    assert settled(action, State.REFUNDED)


def test_credentials_that_cannot_even_be_tried_keep_the_refund_at_home(
    ann: Person, desk: Desk, order: Transaction, lantern: Merchant
) -> None:
    lantern.api_token = "pasted with a line end\n"
    lantern.save()
    action = sent(order, ann)
    assert (action.state, action.attempts, desk.posts(order.pk)) == (State.REQUESTED, 0, 0)
    assert action.look_at > timezone.now()
    tasks.run_action(earlier(action, minutes=61).pk)
    assert fresh(action).state == State.REFUSED


def test_an_unknown_outcome_at_a_silent_paysuper_is_brought_to_a_person(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.fault("lost_answer")
    action = sent(order, ann)
    desk.refuse(503, "", method="GET", path="", count=None)
    looks = action.looks
    action = settle(action)
    assert (action.state, action.looks) == (State.UNKNOWN, looks + 1)
    action = settle(earlier(action, minutes=11))
    assert (action.state, fresh(order).refund_state) == (State.NEEDS_PERSON, State.NEEDS_PERSON)
    assert "does not tell" in action.outcome
    assert settle(action).state == State.NEEDS_PERSON
    desk.heal()
    assert settled(action, State.REFUNDED)
    assert desk.posts(order.pk) == 1


def test_an_accepted_refund_waits_longer_at_a_silent_paysuper(
    ann: Person, desk: Desk, order: Transaction
) -> None:
    desk.plan("stuck_at_2")
    action = sent(order, ann)
    desk.refuse(503, "", method="GET", path="", count=None)
    assert settle(earlier(action, days=6)).state == State.ACCEPTED
    assert settle(earlier(action, days=8)).state == State.NEEDS_PERSON


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


def trouble(desk: Desk) -> None:
    """One POST in two goes wrong in some way, one GET in ten; PaySuper would also refund twice."""
    desk.fault("no_race_guard", count=None, seconds=0.01)
    for kind in ("lost_answer", "reset", "truncated"):
        desk.fault(kind, count=None, probability=0.12)
    for status in (500, 503, 429, 401):
        desk.refuse(status, "", count=None, probability=0.06)
    desk.refuse(503, "", method="GET", path="", count=None, probability=0.1)
    desk.refuse(200, '{"count":0,"items":null}', method="GET", count=None, probability=0.1)


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


def at_once(number: int, work: Callable[[], object]) -> None:
    """The same work on several workers, each with its own line to the database."""
    start, failures = threading.Barrier(number), []

    def worker() -> None:
        start.wait()
        try:
            work()
        except Exception as error:  # noqa: BLE001 - shown by the test, whatever it is
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


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
