"""A worker looks at what PaySuper says about the projects and the token."""

import datetime as dt

import pytest
from django.utils import timezone

from merchant.models import Merchant, Project
from merchant.paysuper.records import ProjectRecord
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, HARBOUR_SECRET, KETTLE
from tests.fulfillment.desk import Desk
from tests.merchant.sandbox_client import client
from transactions import tasks
from transactions.mirror.projects import apply_projects
from transactions.models import Connection, MirroredProject
from transactions.sync import read_projects

WORKS = "https://lantern.example/thanks"


def record(**said: object) -> ProjectRecord:
    known = {"id": HARBOUR, "name": "Harbour", "status": 3, "webhook_url": "", "secret_key": HARBOUR_SECRET}
    return ProjectRecord(**known | said)  # type: ignore[arg-type]


def change(paysuper: Sandbox, **fields: str) -> None:
    with client(paysuper) as api:
        assert api.patch(f"/admin/api/v1/projects/{HARBOUR}", json=fields).status_code == 200


def test_state_addresses_and_secret_are_kept(lantern: Merchant, paysuper: Sandbox) -> None:
    change(paysuper, url_redirect_success=WORKS, url_process_payment="https://us.example/hook")
    read_projects(lantern)
    there = MirroredProject.objects.get(project__paysuper_id=HARBOUR)
    assert (there.state, there.is_in_production, there.is_listed) == ("Production", True, True)
    assert (there.success_url, there.webhook_url) == (WORKS, "https://us.example/hook")
    assert there.secret_matches is True
    assert there.merchant == lantern
    assert HARBOUR_SECRET not in str(MirroredProject.objects.values())


def test_a_secret_changed_at_paysuper_is_noticed(lantern: Merchant, paysuper: Sandbox) -> None:
    change(paysuper, secret_key="another-secret")
    read_projects(lantern)
    assert MirroredProject.objects.get(project__paysuper_id=HARBOUR).secret_matches is False


def test_a_project_of_which_nobody_told_us_appears(lantern: Merchant, paysuper: Sandbox) -> None:
    Project.objects.filter(merchant=lantern).delete()
    read_projects(lantern)
    assert Project.objects.get(paysuper_id=HARBOUR).name == "Lantern Harbour"
    assert MirroredProject.objects.get(project__paysuper_id=HARBOUR).secret_matches is None


def test_the_token_tells_its_merchant_its_role_and_that_this_is_a_sandbox(lantern: Merchant) -> None:
    looked = read_projects(lantern)
    assert (looked.token_merchant, looked.role) == (lantern.paysuper_id, "owner")
    assert looked.is_sandbox is True
    assert not looked.is_failing


@pytest.mark.usefixtures("hurried")
def test_trouble_is_kept_and_what_was_known_stays(lantern: Merchant, desk: Desk) -> None:
    read_projects(lantern)
    desk.refuse(500, "{}", method="GET", path="/projects", count=None)
    looked = read_projects(lantern)
    assert looked.is_failing
    assert "500" in looked.error
    assert looked.is_sandbox is True
    assert MirroredProject.objects.filter(merchant=lantern, is_listed=True).count() == 2
    desk.heal()
    assert not read_projects(lantern).is_failing


def test_an_older_answer_changes_nothing(lantern: Merchant) -> None:
    now = timezone.now()
    apply_projects(lantern, [record(status=3)], now)
    apply_projects(lantern, [record(status=0)], now - dt.timedelta(seconds=1))
    apply_projects(lantern, [], now - dt.timedelta(seconds=1))
    there = MirroredProject.objects.get(project__paysuper_id=HARBOUR)
    assert (there.status, there.is_listed) == (3, True)


def test_a_project_that_is_gone_is_said_to_be_gone_and_can_come_back(lantern: Merchant) -> None:
    now = timezone.now()
    apply_projects(lantern, [record()], now)
    apply_projects(lantern, [], now + dt.timedelta(seconds=1))
    assert not MirroredProject.objects.get(project__paysuper_id=HARBOUR).is_listed
    apply_projects(lantern, [record()], now + dt.timedelta(seconds=2))
    assert MirroredProject.objects.get(project__paysuper_id=HARBOUR).is_listed


@pytest.mark.parametrize("status", [7, -3, 2**40])
def test_a_state_that_nobody_knows_is_shown_raw(lantern: Merchant, status: int) -> None:
    apply_projects(lantern, [record(status=status)], timezone.now())
    there = MirroredProject.objects.get(project__paysuper_id=HARBOUR)
    assert there.state.startswith("Unknown state")
    assert not there.is_in_production


def test_a_foreign_project_is_left_alone(lantern: Merchant, copper: Merchant) -> None:
    apply_projects(lantern, [record(id=KETTLE)], timezone.now())
    assert not MirroredProject.objects.exists()


def test_every_merchant_is_looked_at(
    lantern: Merchant, copper: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The broker is not the point.
    monkeypatch.setattr(tasks.read_projects, "delay", tasks.read_projects)
    tasks.read_all_projects()
    assert {each.merchant for each in Connection.objects.all()} == {lantern, copper}
    Connection.objects.filter(merchant=copper).update(succeeded_at=timezone.now() - dt.timedelta(minutes=11))
    before = Connection.objects.get(merchant=lantern).succeeded_at
    tasks.read_all_projects()
    assert Connection.objects.get(merchant=lantern).succeeded_at == before
    assert Connection.objects.get(merchant=copper).succeeded_at > before
