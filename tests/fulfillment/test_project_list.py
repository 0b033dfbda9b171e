"""The page of all projects, the page of one, and who may do what there (contract §4)."""

import datetime as dt

import pytest
from django.utils import timezone

from fulfillment.inbox import deliveries
from fulfillment.models import RefusalCount, WebhookEvent, WebhookTest
from merchant.models import Merchant, Project
from merchant.paysuper.records import ProjectRecord
from tests.conftest import HARBOUR, HARBOUR_SECRET, Person, person
from tests.fulfillment.desk import fresh
from tests.fulfillment.webhook_events import deliver, event
from transactions.mirror.projects import apply_projects

LIST = "/settings/projects/"
PAGE = f"{LIST}{HARBOUR}/"
ADDRESS = f"http://127.0.0.1:8340/webhooks/paysuper/{HARBOUR}/"


@pytest.fixture(autouse=True)
def address(settings) -> None:
    settings.BASE_URL = "http://127.0.0.1:8340"


def at_paysuper(merchant: Merchant, **said: object) -> None:
    known = {"id": HARBOUR, "name": "Harbour", "status": 3, "webhook_url": ADDRESS}
    known |= {"secret_key": HARBOUR_SECRET, "callback_protocol": "default"} | said
    apply_projects(merchant, [ProjectRecord(**known)], timezone.now())


def text(who: Person, page: str = LIST) -> str:
    answer = who.browser.get(page)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_list_shows_state_address_and_where_customers_return_to(ann: Person, lantern: Merchant) -> None:
    assert "Not read yet" in text(ann)
    at_paysuper(lantern, success_url="https://lantern.example/thanks")
    for page in (LIST, PAGE):
        shown = text(ann, page)
        assert "Production" in shown
        assert ADDRESS in shown
        assert "Ours" in shown
        assert "https://lantern.example/thanks" in shown
        assert HARBOUR_SECRET not in shown


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"status": 0}, "Draft"),
        ({"status": 9}, "Unknown state 9"),
        ({"webhook_url": "https://elsewhere.example/"}, "https://elsewhere.example/"),
        ({"webhook_url": "<script>alert(1)</script>"}, "&lt;script&gt;"),
        ({"callback_protocol": "empty"}, "no webhooks of this project"),
        ({"secret_key": "another"}, "Another one than here"),
    ],
)
def test_what_is_wrong_at_paysuper_is_said(
    ann: Person, lantern: Merchant, said: dict[str, object], words: str
) -> None:
    at_paysuper(lantern, **said)
    assert words in text(ann, PAGE)


def test_deliveries_are_counted_by_day_and_week(ann: Person, harbour: Project) -> None:
    for number in "abc":
        deliver(event(number))
    deliver(event("y"), secret="wrong")
    old = timezone.now() - dt.timedelta(days=3)
    newest = WebhookEvent.objects.latest("pk")
    WebhookEvent.objects.filter(pk=newest.pk).update(last_received_at=old, state="failed")
    RefusalCount.objects.create(project=harbour, hour=old, reason="unreadable", count=7)
    health = deliveries.health(harbour.merchant, [harbour])[harbour.pk]
    assert (health.day.events, health.day.failed) == (2, 0)
    assert (health.week.events, health.week.failed) == (3, 1)
    assert (health.day.turned_away, health.day.wrongly_signed) == (1, 1)
    assert (health.week.turned_away, health.week.wrongly_signed) == (8, 1)
    assert health.last == WebhookEvent.objects.latest("last_received_at").last_received_at


def test_what_came_long_ago_is_not_counted_and_foreign_projects_stay_apart(
    lantern: Merchant, harbour: Project, copper: Merchant
) -> None:
    deliver(event("x"))
    WebhookEvent.objects.update(last_received_at=timezone.now() - dt.timedelta(days=31))
    kettle = Project.objects.get(merchant=copper)
    assert deliveries.health(lantern, [harbour])[harbour.pk].last is None
    assert deliveries.health(copper, [kettle])[kettle.pk].week.events == 0


def test_many_projects_cost_no_more_reads(lantern: Merchant, django_assert_num_queries) -> None:
    for number in range(5):
        Project.objects.create(merchant=lantern, paysuper_id=f"{number:024}", name=str(number))
    projects = list(lantern.projects.all())
    with django_assert_num_queries(2):
        assert len(deliveries.health(lantern, projects)) == 7


@pytest.mark.parametrize("role", ["accounting", "support"])
def test_accounting_and_support_send_test_events_but_change_nothing(lantern: Merchant, role: str) -> None:
    colleague = person(lantern, "kim", role)
    shown = text(colleague, PAGE)
    assert "Send a test event" in shown
    assert "New secret key" not in shown
    assert "Take webhooks of this project" not in shown
    assert colleague.browser.post(f"{PAGE}test/", {"case": "correct_payment"}).status_code == 302
    assert WebhookTest.objects.count() == 1
    assert colleague.browser.post(f"{PAGE}secret/", {"secret": "new"}).status_code == 403
    assert colleague.browser.post(f"{PAGE}webhooks/", {"admits_customers": "no"}).status_code == 403
    assert fresh(Project.objects.get(paysuper_id=HARBOUR)).secret_key == HARBOUR_SECRET


def test_a_viewer_sees_the_projects_and_has_no_buttons(vera: Person, lantern: Merchant) -> None:
    at_paysuper(lantern)
    for page in (LIST, PAGE):
        assert "Harbour" in text(vera, page)
        main = text(vera, page).partition("<main")[2]
        assert "<form" not in main
        assert 'href="/webhooks/' not in main
    assert vera.browser.post(f"{PAGE}test/", {"case": "correct_payment"}).status_code == 403
    assert vera.browser.post(f"{LIST}read/").status_code == 403


def test_reading_again_is_asked_for(ann: Person, lantern: Merchant) -> None:
    assert "are read from PaySuper now" in ann.browser.post(f"{LIST}read/", follow=True).content.decode()


def test_an_empty_list_says_so(cleo: Person) -> None:
    Project.objects.all().delete()
    assert "No projects yet" in text(cleo)
