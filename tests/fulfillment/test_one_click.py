"""What one click caused can be read in the logs, from the request to PaySuper's answer."""

import json
from pathlib import Path

import pytest

from fulfillment.models import Action
from merchant.models import Merchant
from tests.conftest import Person
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from tests.fulfillment.refunding import form
from tests.fulfillment.test_worker import PATIENCE, Start, start
from tests.merchant.sandbox_receiver import eventually

__all__ = ["start"]


def lines(log: Path, **wanted: object) -> list[dict[str, object]]:
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [line for line in found if wanted.items() <= line.items()]


@pytest.mark.django_db(transaction=True)
def test_a_click_is_followed_to_the_call_of_paysuper(
    ben: Person, desk: Desk, lantern: Merchant, start: Start, tmp_path: Path, caplog
) -> None:
    order, log = mirrored_order(lantern, desk), tmp_path / "worker0.log"
    start()
    path = f"/transactions/{order.pk}/refund/"
    assert ben.browser.post(path, form(order)).status_code == 302
    action = Action.objects.get()
    eventually(lambda: fresh(action).state not in (Action.State.REQUESTED, Action.State.SENDING), PATIENCE)
    web = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    [rung] = [line for line in web if line["event"] == "rung"]
    click = rung["request_id"]
    assert (rung["row"], rung["user_id"]) == (str(action.pk), ben.membership.user_id)
    events = {line["event"] for line in web if line.get("request_id") == click}
    assert {"request_started", "rung", "request_finished"} <= events
    ids = {"request_id": click, "action": action.pk, "order": str(order.pk)}
    calls = lines(log, event="paysuper_call", **ids)
    assert [call["call"].split()[0] for call in calls] == ["GET", "POST"]
    [task] = {call["task_id"] for call in calls}
    assert lines(log, event="task_started", task_id=task, request_id=click)
    assert not any("jane" in line or "@example" in line for line in log.read_text().splitlines())
