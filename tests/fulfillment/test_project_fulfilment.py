"""The page of a project's rule: what it promises, what happens without hands, and the server's secret."""

import re

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from fulfillment.models import FulfilmentRule, ServerCall
from merchant import outside
from merchant.models import AuditEvent, Merchant, Project
from tests.conftest import HARBOUR, KETTLE, Person

ADDRESS = f"/settings/projects/{HARBOUR}/fulfilment/"
FILLED_IN = {"promise_hours": "48", "claim_minutes": "5", "server_url": "https://shop.example/paid?key=1"}


def rule() -> FulfilmentRule:
    return FulfilmentRule.objects.get()


def test_everything_is_off_and_usual_until_somebody_says_otherwise(ann: Person, harbour: Project) -> None:
    page = ann.browser.get(ADDRESS).content.decode()
    assert 'value="24"' in page
    assert 'value="15"' in page
    assert not re.search(r'name="is_automatic"[^>]*checked', page)
    assert not FulfilmentRule.objects.exists()
    assert not FulfilmentRule.of(harbour).is_automatic


def test_the_secret_is_shown_once_and_stored_encrypted(ann: Person, lantern: Merchant) -> None:
    answer = ann.browser.post(ADDRESS, FILLED_IN)
    assert answer.status_code == 200
    (secret,) = set(re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.content.decode()))
    assert "no-store" in answer["Cache-Control"]
    assert rule().server_secret == secret
    assert "whsec_" not in ann.browser.get(ADDRESS).content.decode()
    assert ann.browser.post(ADDRESS, FILLED_IN).status_code == 302
    assert rule().server_secret == secret  # saving again makes no other
    with connection.cursor() as cursor:
        cursor.execute("SELECT server_secret FROM fulfillment_fulfilmentrule")
        assert "whsec_" not in str(cursor.fetchall())
    assert "whsec_" not in str(list(AuditEvent.objects.values("data")))


def test_a_new_secret_replaces_the_old_one_and_is_shown_once(ann: Person, lantern: Merchant) -> None:
    ann.browser.post(ADDRESS, FILLED_IN)
    before = rule().server_secret
    page = ann.browser.post(f"{ADDRESS}secret/").content.decode()
    assert rule().server_secret != before
    assert rule().server_secret in page
    assert AuditEvent.objects.filter(event="server_secret.made", user=ann.membership.user).count() == 2


def test_without_an_address_there_is_no_secret(ann: Person, lantern: Merchant) -> None:
    page = ann.browser.post(f"{ADDRESS}secret/", follow=True).content.decode()
    assert "Set the address of your server first." in page
    assert not FulfilmentRule.objects.exists()


def test_switching_on_counts_from_now_and_saving_again_changes_nothing(
    ann: Person, lantern: Merchant
) -> None:
    ann.browser.post(ADDRESS, FILLED_IN | {"is_automatic": "on"})
    since = rule().automatic_since
    assert since is not None
    ann.browser.post(ADDRESS, FILLED_IN | {"is_automatic": "on", "promise_hours": "1"})
    assert (rule().automatic_since, rule().promise_hours) == (since, 1)
    ann.browser.post(ADDRESS, FILLED_IN)
    assert rule().automatic_since is None
    line = AuditEvent.objects.filter(event="fulfilment_rule.changed").order_by("pk")[0]
    assert line.subject == HARBOUR
    assert line.data == {"promise_hours": 48, "is_automatic": True, "server_url": FILLED_IN["server_url"]}


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://shop.example/", "begin with https://"),
        ("ftp://shop.example/", "begin with https://"),
        ("javascript:alert(1)", "not a web address"),
        ("https://", "not a web address"),
        ("https://shop.example:0/", "not a web address"),
        ("https://shop.example:99999/", "not a web address"),
        ("https://[::1", "not a web address"),
        ("https://shop example/", "not a web address"),
        ("https://shöp.example/", "not a web address"),
        ("https://ann:secret@shop.example/", "Leave out names"),
        ("https://shop.example/#paid", "Leave out names"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::ffff:10.0.0.1]/", "private network"),
        ("https://169.254.169.254/latest/", "private network"),
        ("https://localhost/", "private network"),
        ("https://shop.example/\0", "Null characters"),
        ("https://shop.example/" + "a" * 500, "at most 500"),
    ],
)
def test_an_address_that_workers_could_not_call_is_turned_away(
    ann: Person, lantern: Merchant, address: str, words: str
) -> None:
    answer = ann.browser.post(ADDRESS, FILLED_IN | {"server_url": address})
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not FulfilmentRule.objects.exists()


def test_development_may_call_its_own_machine(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_SERVERS = True
    assert outside.trouble("http://localhost:8000/", private=settings.ALLOW_PRIVATE_SERVERS) == ""
    assert outside.trouble("http://127.0.0.1:8000/", private=settings.ALLOW_PRIVATE_SERVERS) == ""
    assert "https" in outside.trouble("ftp://localhost/", private=settings.ALLOW_PRIVATE_SERVERS)


@pytest.mark.parametrize("name", ["promise_hours", "claim_minutes"])
@pytest.mark.parametrize("value", ["0", "-1", "9" * 30, "1.5", "soon", ""])
def test_times_that_make_no_sense_are_turned_away(
    ann: Person, lantern: Merchant, name: str, value: str
) -> None:
    answer = ann.browser.post(ADDRESS, FILLED_IN | {name: value})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not FulfilmentRule.objects.exists()


@pytest.mark.parametrize("project", [KETTLE, "nonsense", "0" * 24])
def test_the_projects_of_others_do_not_exist(ann: Person, copper: Merchant, project: str) -> None:
    assert ann.browser.get(f"/settings/projects/{project}/fulfilment/").status_code == 404
    assert ann.browser.post(f"/settings/projects/{project}/fulfilment/", FILLED_IN).status_code == 404
    assert ann.browser.post(f"/settings/projects/{project}/fulfilment/secret/").status_code == 404
    assert not FulfilmentRule.objects.exists()


def test_the_calls_of_others_do_not_exist(cleo: Person) -> None:
    assert cleo.browser.get("/server-calls/999999/").status_code == 404
    assert cleo.browser.post("/server-calls/999999/resend/").status_code == 404
    assert not ServerCall.objects.exists()
