"""The pages of schedules."""

import datetime as dt

import pytest

from merchant.models import AuditEvent, Merchant
from tests.conftest import Person, person
from tests.transactions.schedules import clock, daily, folder, form, work
from transactions.models import Export, SavedView, Schedule, ScheduleMail

__all__ = ["folder"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]
NEW = "/exports/schedules/new/"


def test_a_schedule_is_made_of_the_list_that_one_came_from(ann: Person, ben: Person) -> None:
    page = ann.browser.get(f"{NEW}?status=processed&cursor=x").content.decode()
    assert "Status: Processed" in page
    answer = ann.browser.post(NEW, form(ann, ben))
    schedule = Schedule.objects.get()
    assert answer.url == f"/exports/schedules/{schedule.pk}/"
    assert (schedule.query, schedule.format) == ("period=last_month&status=processed", "csv")
    assert schedule.rhythm.in_words == "Every month on day 1 at 07:30"
    assert (schedule.layout["delimiter"], schedule.layout["decimal"]) == (";", ",")
    assert {each.user for each in schedule.recipients.all()} == {ann.membership.user, ben.membership.user}
    assert AuditEvent.objects.get(event="schedule.created").data["name"] == "Month end"
    page = ann.browser.get(answer.url).content.decode()
    assert "Every month on day 1 at 07:30, Europe/Berlin" in page
    assert "Month end" in ben.browser.get("/exports/schedules/").content.decode()


def test_a_schedule_takes_a_view_a_recipe_and_another_period(ann: Person, lantern: Merchant) -> None:
    view = SavedView.objects.create(
        merchant=lantern, owner=ann.membership.user, name="Paid", query="from=2026-01-01&status=processed"
    )
    recipe = {
        "name": "Short",
        "format": "xlsx",
        "dialect": "comma-point",
        "place-utc": "1",
        "place-order": "2",
    }
    ann.browser.post("/exports/recipes/", recipe)
    ann.browser.post(NEW, form(ann, rows=view.pk, period="yesterday", file="recipe:Short"))
    schedule = Schedule.objects.get()
    assert (schedule.query, schedule.format) == ("period=yesterday&status=processed", "xlsx")
    assert schedule.layout["columns"] == ["utc", "order"]


def test_an_edit_keeps_what_is_not_changed(ann: Person, ben: Person, lantern: Merchant) -> None:
    layout = {"columns": ["utc"], "delimiter": ";", "decimal": ",", "bom": False}
    schedule = daily(lantern, ann.membership.user, ann.membership.user, layout=layout)
    address = f"/exports/schedules/{schedule.pk}/edit/"
    page = ben.browser.get(address)
    values = {name: page.context["form"][name].value() for name in page.context["form"].fields}
    values = {name: "" if value is None else value for name, value in values.items()} | {"name": "Renamed"}
    del values["business_days"]
    values["at"] = "06:00"
    assert ben.browser.post(address, values).status_code == 302
    kept = Schedule.objects.get()
    assert (kept.name, kept.query, kept.layout) == ("Renamed", "period=yesterday", layout)
    assert (kept.rhythm, kept.begun_until) == (schedule.rhythm, schedule.begun_until)
    assert kept.owner == ben.membership.user


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "a\0b"}, "Null characters"),
        ({"name": "a\u202eb"}, "without special signs"),
        ({"name": "x" * 61}, "at most 60"),
        ({"query": "status=nonsense"}, "These filters make no sense"),
        ({"query": "q=" + "x" * 3000}, "at most 2000"),
        ({"rows": "99999999999999999999"}, "Select a valid choice"),
        ({"file": "exe"}, "Select a valid choice"),
        ({"dialect": "x"}, "Select a valid choice"),
        ({"every": "hourly"}, "Select a valid choice"),
        ({"weekday": "7"}, "Select a valid choice"),
        ({"day": "32"}, "less than or equal to 31"),
        ({"day": "9" * 5000}, "Enter a whole number"),
        ({"at": "25:00"}, "Enter a valid time"),
        ({"recipients": []}, "Choose at least one colleague"),
        ({"recipients": ["999999999999999999999999"]}, "Select a valid choice"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_kept(ann: Person, changes: dict, says: str) -> None:
    answer = ann.browser.post(NEW, form(ann, **changes))
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not Schedule.objects.exists()


def test_only_colleagues_who_may_export_can_be_chosen(ann: Person, vera: Person, cleo: Person) -> None:
    for other in (vera, cleo):
        assert "Select a valid choice" in ann.browser.post(NEW, form(other)).content.decode()
    assert "ann@example.com" in ann.browser.get(NEW).content.decode()
    assert "vera@example.com" not in ann.browser.get(NEW).content.decode()


def test_fifty_schedules_are_enough(ann: Person, lantern: Merchant) -> None:
    for number in range(50):
        daily(lantern, ann.membership.user, name=str(number))
    assert "There are 50 schedules" in ann.browser.post(NEW, form(ann)).content.decode()
    assert Schedule.objects.count() == 50


def test_the_history_shows_runs_files_and_mails(ann: Person, lantern: Merchant) -> None:
    abe = person(lantern, "abe", "accounting")
    schedule = daily(lantern, ann.membership.user, ann.membership.user, abe.membership.user)
    address = f"/exports/schedules/{schedule.pk}/"
    assert "It has not run yet" in ann.browser.get(address).content.decode()
    with clock(2026, 10, 4, 5):
        ann.browser.post(f"{address}run/")
        assert "waits for the file" in ann.browser.get(address).content.decode()
        abe.membership.delete()
        work()
        page = ann.browser.get(address).content.decode()
        export = Export.objects.first()
        file = ann.browser.get(f"/exports/{export.pk}/").content.decode()
    assert "2 earlier times had passed and were skipped" in page
    assert "run by <bdi>ann@example.com" in page
    assert "nothing sent. Has left the team" in page
    assert "gets nothing: may not export any more" in page
    assert f"/exports/{export.pk}/" in page
    assert address in file


def test_deleting_takes_the_history_and_leaves_the_files(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    with clock(2026, 10, 2, 5):
        work()
    assert ann.browser.post(f"/exports/schedules/{schedule.pk}/delete/").status_code == 302
    assert not ScheduleMail.objects.exists()
    assert Export.objects.get().state == "ready"
    assert AuditEvent.objects.filter(event="schedule.deleted").exists()


def test_pausing_twice_is_one_pause(ann: Person, lantern: Merchant) -> None:
    schedule = daily(lantern, ann.membership.user, ann.membership.user)
    for _ in range(2):
        ann.browser.post(f"/exports/schedules/{schedule.pk}/pause/")
    assert "It rests. Paused by ann@example.com." in (
        ann.browser.get(f"/exports/schedules/{schedule.pk}/").content.decode()
    )
    assert AuditEvent.objects.filter(event="schedule.paused").count() == 1
    assert Schedule.objects.get().next_due is None
    assert dt.time(6) == schedule.at
