"""Reading again: older orders, one order, projects, and the comparison of both sides."""

import datetime as dt
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant.models import Merchant, Project
from merchant.paysuper.errors import NotFound, Unexpected
from merchant.paysuper.sandbox import Sandbox
from tests.conftest import HARBOUR, LANTERN
from tests.transactions.syncing import charge_back, mirror, pay, sandbox
from transactions import sync
from transactions.models import RawOrder, SyncState, Transaction


@pytest.mark.django_db
def test_a_rescan_sees_what_an_increment_does_not() -> None:
    with sandbox(orders=200, days=2) as (paysuper, merchant):
        sync.sync(merchant, full=True)
        old = timezone.now() - dt.timedelta(hours=3)
        entry = Transaction.objects.filter(status="processed", type="order", created_at__lt=old).first()
        charge_back(paysuper, entry.pk)
        sync.sync(merchant)
        assert mirror()[entry.pk] == "processed"
        assert sync.rescan(merchant).changed >= 1
        assert mirror()[entry.pk] == "chargeback"
        assert list(sync.drift(merchant)) == []


def test_a_rescan_before_the_first_fill_does_not_replace_it(lantern: Merchant) -> None:
    sync.rescan(lantern)
    sync.sync(lantern)
    assert list(sync.drift(lantern)) == []


def test_a_rescan_after_a_long_outage_leaves_no_gap(mirrored: Merchant) -> None:
    before = mirror()
    state = timezone.now() - dt.timedelta(days=60)
    Transaction.objects.filter(created_at__gt=state).delete()
    SyncState.objects.update(synced_until=state)
    sync.rescan(mirrored)
    sync.sync(mirrored)
    assert mirror() == before


def test_one_order_is_refreshed_by_its_id(mirrored: Merchant, paysuper: Sandbox, copper: Merchant) -> None:
    uuid = pay(paysuper)
    assert sync.refresh(mirrored, uuid).added == {uuid}
    charge_back(paysuper, uuid)
    assert sync.refresh(mirrored, uuid).changed == {uuid}
    assert mirror()[uuid] == "chargeback"
    with pytest.raises(NotFound):
        sync.refresh(copper, uuid)


def test_merchants_never_mix(mirrored: Merchant, copper: Merchant) -> None:
    ours, theirs = (set(m.transactions.values_list("pk", flat=True)) for m in (mirrored, copper))
    assert ours
    assert theirs
    assert not ours & theirs
    assert list(sync.drift(copper)) == list(sync.drift(mirrored)) == []


def test_a_project_that_was_connected_to_somebody_else_is_said(lantern: Merchant) -> None:
    foreign = Merchant.objects.create(paysuper_id="e" * 24, name="Foreign", api_token="x")
    Project.objects.filter(paysuper_id=HARBOUR).update(merchant=foreign)
    with pytest.raises(Unexpected, match="another merchant"):
        sync.sync(lantern)
    assert "another merchant" in SyncState.objects.get(merchant=lantern).error
    assert not Transaction.objects.exists()


def test_projects_are_named_as_paysuper_names_them(lantern: Merchant) -> None:
    Project.objects.update(name="An older name")
    sync.sync(lantern)
    assert sorted(lantern.projects.values_list("name", flat=True)) == ["Lantern Harbour", "Snow Defender"]


def test_drift_names_orders_that_only_one_side_has(mirrored: Merchant, paysuper: Sandbox) -> None:
    gone = Transaction.objects.filter(type="order").first()
    extra = Transaction.objects.get(pk=gone.pk)
    RawOrder.objects.filter(pk=gone.pk).delete()
    Transaction.objects.filter(pk=gone.pk).delete()
    extra.pk = UUID(int=1)
    extra.save(force_insert=True)
    assert sorted(sync.drift(mirrored)) == sorted(
        [f"{gone.pk}: at PaySuper, not in the mirror", f"{UUID(int=1)}: in the mirror, not at PaySuper"]
    )


def test_drift_does_not_take_news_for_a_difference(mirrored: Merchant, paysuper: Sandbox) -> None:
    uuid = pay(paysuper)
    sync.refresh(mirrored, uuid)
    assert list(sync.drift(mirrored)) == []


def test_drift_does_not_take_an_order_that_arrives_meanwhile_for_a_difference(
    mirrored: Merchant, paysuper: Sandbox
) -> None:
    entry = Transaction.objects.filter(type="order").first()
    Transaction.objects.filter(pk=entry.pk).update(charge_amount=0)
    lines = sync.drift(mirrored)
    assert next(lines).startswith(str(entry.pk))
    sync.refresh(mirrored, pay(paysuper))
    assert list(lines) == []


def test_check_drift_says_when_all_is_well(mirrored: Merchant, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_drift", merchant_id=LANTERN)
    assert capsys.readouterr().out == "The mirror equals PaySuper.\n"


def test_the_command_takes_instants_and_refuses_other_texts(lantern: Merchant) -> None:
    call_command(
        "sync_transactions",
        "--merchant-id",
        LANTERN,
        "--since",
        "2021-01-01",
        "--until",
        "2021-01-02T00:00:00Z",
    )
    for text in ("soon", "2021-13-01", "", "0001-01-01"):
        with pytest.raises(CommandError):
            call_command("sync_transactions", "--merchant-id", LANTERN, "--since", text)
    with pytest.raises(CommandError, match="connect_merchant first"):
        call_command("sync_transactions", merchant_id="f" * 24)
