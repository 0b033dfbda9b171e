"""Schedules by the clock: each due moment has one export, seen from that moment, whatever happens."""

import datetime as dt
import threading

import pytest
from django.core import mail
from django.db import connection

from merchant.models import AuditEvent, Membership, Merchant
from tests.conftest import Person, person
from tests.transactions.schedules import SIX, START, clock, daily, folder, states, work
from transactions import scheduling, tasks
from transactions.models import Export, Schedule, ScheduleRun

__all__ = ["folder"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("folder")]


def test_what_is_due_is_made_sent_and_audited(ann: Person, ben: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user, ben.membership.user)
    with clock(2026, 10, 2, 3, 59):
        work()
    assert not Export.objects.exists()
    with clock(2026, 10, 2, 4, 1):
        work()
    export = Export.objects.get()
    assert (export.state, export.requested_by) == ("ready", ann.membership.user)
    assert export.filter_in_words == "Period: Yesterday · Days: 2026-10-01 to 2026-10-01"
    assert states() == {"ann@example.com": "sent", "ben@example.com": "sent"}
    assert sorted(each.to[0] for each in mail.outbox) == ["ann@example.com", "ben@example.com"]
    events = AuditEvent.objects.values_list("event", flat=True)
    assert sorted(events) == ["export.mailed", "export.mailed", "export.requested"]
    assert AuditEvent.objects.get(event="export.requested").data["schedule"] == schedule.pk


def test_a_period_is_that_of_the_due_moment_and_not_of_the_work(ann: Person, lantern: Merchant) -> None:
    night = {"every": "monthly", "day": 31, "at": dt.time(23, 30)}
    daily(lantern, ann.membership.user, ann.membership.user, query="period=this_month", **night)
    with clock(2026, 11, 1, 5):  # begun late, in another month
        tasks.sweep_schedules()
    with clock(2026, 12, 2, 12):  # and made later still
        tasks.make_export(str(Export.objects.get().pk))
    assert Export.objects.get().filter_in_words == "Period: This month · Days: 2026-10-01 to 2026-10-31"


def test_after_an_outage_the_newest_due_moment_runs_and_names_those_skipped(
    ann: Person, lantern: Merchant
) -> None:
    daily(lantern, ann.membership.user, ann.membership.user)
    with clock(2026, 10, 5, 12):
        work()
        work()
    run = ScheduleRun.objects.get()
    assert run.due_at == dt.datetime(2026, 10, 5, 4, tzinfo=dt.UTC)
    assert [f"{each:%d %H}" for each in run.skipped] == ["02 04", "03 04", "04 04"]
    assert "2026-10-02 06:00, 2026-10-03 06:00, 2026-10-04 06:00" in mail.outbox[0].body
    assert len(mail.outbox) == 1


def test_clocks_that_beat_at_once_begin_it_once(ann: Person, lantern: Merchant) -> None:
    daily(lantern, ann.membership.user, ann.membership.user)
    begun: list[object] = []

    def beat() -> None:
        begun.extend(scheduling.begin_due())
        connection.close()

    with clock(2026, 10, 2, 5):
        threads = [threading.Thread(target=beat) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(begun) == Export.objects.count() == ScheduleRun.objects.count() == 1


def test_a_moment_that_has_run_does_not_run_again_when_the_schedule_forgets_it(
    ann: Person, lantern: Merchant
) -> None:
    daily(lantern, ann.membership.user, ann.membership.user)
    with clock(2026, 10, 2, 5):
        work()
        Schedule.objects.update(begun_until=START)
        work()
    assert Export.objects.count() == ScheduleRun.objects.count() == len(mail.outbox) == 1


def test_a_worker_killed_before_the_end_of_beginning_leaves_nothing(
    ann: Person, lantern: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    with clock(2026, 10, 2, 5):
        with monkeypatch.context() as patch:
            patch.setattr("merchant.audit.record", lambda *_, **__: exec("raise SystemExit"))
            with pytest.raises(SystemExit):
                tasks.sweep_schedules()
        assert not ScheduleRun.objects.exists()
        assert not Export.objects.exists()
        schedule.refresh_from_db()
        assert schedule.begun_until == START
        work()
    assert states() == {"ann@example.com": "sent"}


def test_one_that_cannot_be_begun_holds_no_other_up(ann: Person, cleo: Person, lantern: Merchant) -> None:
    daily(lantern, ann.membership.user, name="Broken", query="status=processed")
    daily(cleo.membership.merchant, cleo.membership.user, cleo.membership.user)
    lantern.time_zone = "Nowhere/At_All"
    lantern.save()
    with clock(2026, 10, 2, 5):
        work()
    assert states() == {"cleo@example.com": "sent"}


def test_a_paused_schedule_rests_and_makes_up_for_nothing(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    scheduling.pause(schedule, ann.membership)
    with clock(2026, 10, 4, 12):
        work()
        schedule.refresh_from_db()
        scheduling.resume(schedule, ann.membership)
        work()
    assert not ScheduleRun.objects.exists()
    with clock(2026, 10, 5, 5):
        work()
    assert ScheduleRun.objects.get().skipped == []


def test_another_rhythm_counts_from_now_on(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    values = {"every": "daily", "at": dt.time(11), "weekday": 0, "day": 1, "business_days": False}
    with clock(2026, 10, 2, 10):
        scheduling.save(ann.membership, values, [ann.membership.user_id], schedule)
        work()
    assert not ScheduleRun.objects.exists()


def test_the_file_names_customers_only_if_everybody_may_see_them(
    ann: Person, ben: Person, lantern: Merchant
) -> None:
    abe = person(lantern, "abe", "accounting")
    daily(lantern, ann.membership.user, ben.membership.user, name="Open")
    daily(lantern, ann.membership.user, ben.membership.user, abe.membership.user, name="Masked")
    daily(lantern, abe.membership.user, ben.membership.user, name="Of Abe")
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
    found = {run.schedule.name: run.export.personal for run in ScheduleRun.objects.all()}
    assert found == {"Open": True, "Masked": False, "Of Abe": False}


def test_who_has_left_or_lost_the_right_gets_nothing(ann: Person, ben: Person, lantern: Merchant) -> None:
    gone, idle, abe = (person(lantern, name, "support") for name in ("gone", "idle", "abe"))
    users = [each.membership.user for each in (ann, ben, gone, idle, abe)]
    daily(lantern, ann.membership.user, *users)
    with clock(2026, 10, 2, 5):
        tasks.sweep_schedules()
        tasks.make_export(str(Export.objects.get().pk))
        # The file is made and names customers; then people change.
        ben.membership.role = "view_only"
        ben.membership.save()
        gone.membership.delete()
        idle.membership.user.is_active = False
        idle.membership.user.save()
        Membership.objects.filter(pk=abe.membership.pk).update(role="accounting")
        work()
    assert states() == {
        "ann@example.com": "sent",
        **{f"{name}@example.com": "dropped" for name in ("ben", "gone", "idle", "abe")},
    }
    assert [each.to for each in mail.outbox] == [["ann@example.com"]]


def test_a_schedule_whose_owner_lost_the_right_rests_and_says_why(
    ann: Person, ben: Person, lantern: Merchant
) -> None:
    schedule = daily(lantern, ben.membership.user, ann.membership.user)
    ben.membership.delete()
    with clock(2026, 10, 2, 5):
        work()
    schedule.refresh_from_db()
    assert "ben@example.com has left or may not export any more" in schedule.paused
    assert not Export.objects.exists()
    assert ann.browser.post(f"/exports/schedules/{schedule.pk}/pause/", {"pause": "no"}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.paused, schedule.owner) == ("", ann.membership.user)


def test_run_now_runs_once_for_the_moment_of_the_press(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    with clock(2026, 10, 1, 20):
        for _ in range(2):
            ann.browser.post(f"/exports/schedules/{schedule.pk}/run/")
        work()
    run = ScheduleRun.objects.get()
    assert (run.due_at, run.asked_by) == (dt.datetime(2026, 10, 1, 20, tzinfo=dt.UTC), ann.membership.user)
    assert run.export.filter_in_words.endswith("Days: 2026-09-30 to 2026-09-30")
    with clock(2026, 10, 2, 5):
        work()
    assert ScheduleRun.objects.count() == len(mail.outbox) == 2


def test_the_merchants_new_zone_counts_at_once(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    assert schedule.next_due == dt.datetime(2026, 10, 2, 4, tzinfo=dt.UTC)
    lantern.time_zone = "America/New_York"
    lantern.save()
    assert schedule.at == SIX
    assert Schedule.objects.get().next_due == dt.datetime(2026, 10, 1, 10, tzinfo=dt.UTC) + dt.timedelta(
        days=1
    )
