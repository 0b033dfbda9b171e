"""The database itself sees to it that two people decide about a large refund, and one of them once."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from fulfillment import actions
from fulfillment.models import Action
from merchant.models import AuditEvent, Merchant
from tests.conftest import Person
from tests.fulfillment.approvals import approve, limit
from tests.fulfillment.desk import Desk, ask, fresh, mirrored_order

State = Action.State


# The database itself ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["awaiting_approval", "requested", "not_approved"])
def test_the_database_refuses_a_requester_as_the_second_person(waiting: Action, state: str) -> None:
    with (
        pytest.raises(IntegrityError, match="decided_by_another_person"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE fulfillment_action SET decided_by_id = requested_by_id, state = %s WHERE id = %s",
            [state, waiting.pk],
        )


@pytest.mark.parametrize("state", sorted(set(State.values) - {"awaiting_approval", "undone"}))
def test_the_database_lets_nothing_on_that_waits_for_its_approval(waiting: Action, state: str) -> None:
    with (
        pytest.raises(IntegrityError, match="nothing_sent_without_its_approval"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE fulfillment_action SET state = %s WHERE id = %s", [state, waiting.pk])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", ["approve", "reject", "undo"])
def test_of_two_people_who_decide_at_once_one_decides(
    ann: Person, ben: Person, dan: Person, lantern: Merchant, desk: Desk, second: str
) -> None:
    limit(lantern, 10)
    for _ in range(10):
        action = ask(mirrored_order(lantern, desk, currency="EUR", amount=20), ben)
        acts = {
            "approve": lambda action=action: approve(action, dan),
            "reject": lambda action=action: actions.reject(action, dan.membership, note="no"),
            "undo": lambda action=action: actions.undo(action, ben.membership),
        }
        won = at_once([lambda action=action: approve(action, ann), acts[second]])
        # An approved refund that has not left may still be taken back.
        assert won == 1 or (second == "undo" and fresh(action).state == State.UNDONE)
        lines = AuditEvent.objects.filter(event="refund.approved", data__action=action.pk)
        assert lines.count() <= 1


def at_once(acts: list) -> int:
    """How many of these acts, begun together, were let through."""
    start, done, failures = threading.Barrier(len(acts)), [], []

    def act(each) -> None:
        start.wait()
        try:
            each()
            done.append(each)
        except actions.Blocked:
            pass
        except Exception as error:  # noqa: BLE001 - shown by the test, whatever it is
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(each,)) for each in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return len(done)
