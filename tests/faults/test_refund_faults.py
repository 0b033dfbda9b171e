"""Money moves once: under lost answers, dead workers, repeated bells and a PaySuper that misbehaves."""

import pytest
from django.utils import timezone

from fulfillment import tasks
from fulfillment.models import Action
from merchant.models import Merchant
from merchant.paysuper import client
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import Person
from tests.faults.breaking import State
from tests.fulfillment.desk import (
    Desk,
    ask,
    earlier,
    fresh,
    sent,
    settle,
    settled,
)
from transactions.models import Transaction

pytestmark = pytest.mark.usefixtures("hurried")


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
