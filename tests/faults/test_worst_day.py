"""After the worst of days: no refund went out twice, none was forgotten, no webhook was lost."""

from collections.abc import Iterator

import pytest

from tests.faults.installation import Installation, running
from tests.faults.worst_day import MERCHANT, come_to_rest, eventually, worst_day


@pytest.fixture
def installation() -> Iterator[Installation]:
    with running() as installation:
        yield installation


def test_when_everything_dies_money_moves_once_and_nothing_is_lost(installation: Installation) -> None:
    day = worst_day(installation, orders=50, clicks=200, seconds=25, seed=7)
    come_to_rest(installation, patience=150)

    asked = installation.rows("SELECT transaction_id, state, outcome FROM fulfillment_action")
    ledger = installation.desk.api.get("/sandbox/ledger").json()
    refunded = {order: count for order, count in ledger["completed"].items() if order in map(str, day.orders)}
    assert set(refunded.values()) <= {1}, "money went back twice"
    assert len(ledger["refunds"]) == len({each["order"] for each in ledger["refunds"]})
    for each in asked:
        went_back = refunded.get(str(each["transaction_id"]), 0)
        assert (each["state"] == "refunded") == (went_back == 1), each
        # Nobody knows whether such a request arrived: a person is told so.
        assert each["state"] in ("refunded", "needs_person"), each
    assert len(asked) > len(day.orders) / 2, "hardly anybody got to click"

    deliveries = installation.desk.api.get("/sandbox/webhooks").json()["webhooks"]
    accepted = {each["order"] for each in deliveries if each["state"] == "delivered"}
    stored = installation.rows("SELECT order_uuid, state FROM fulfillment_webhookevent")
    assert accepted <= {str(each["order_uuid"]) for each in stored}, "a webhook was answered and lost"
    assert {each["state"] for each in stored} <= {"processed", "ignored"}

    eventually(
        lambda: installation.manage("sync_transactions", "--merchant-id", MERCHANT)[0] == 0, 60, "sync"
    )
    assert installation.manage("check_drift", "--merchant-id", MERCHANT, "--deep")[0] == 0
