"""Each point of the list before going live, in both answers."""

import datetime as dt
import html
import re

import pytest
from django.utils import timezone

from fulfillment import going_live
from fulfillment.going_live import customers, people, reaching
from fulfillment.models import BackupNote, MailRule, Message, ReturnPage, TestPayment
from merchant.models import AuditEvent, Merchant, Project, User
from merchant.paysuper.records import ProjectRecord
from tests.conftest import HARBOUR, HARBOUR_SECRET, SNOW, SNOW_SECRET, Person, person
from tests.fulfillment.desk import Desk, fresh, mirrored_order
from tests.fulfillment.webhook_events import deliver, event
from transactions.mirror.projects import apply_projects
from transactions.models import Connection, MirroredProject, Transaction

PAGE = "/settings/going-live/"
BASE = "https://dashboard.example"


@pytest.fixture(autouse=True)
def base(settings) -> None:
    settings.BASE_URL = BASE


@pytest.fixture
def known(lantern: Merchant) -> Merchant:
    """Lantern Works with both projects as they should be at PaySuper."""
    records = [
        ProjectRecord(
            project,
            "Snow" if project == SNOW else "Harbour",
            status=3,
            webhook_url=f"{BASE}/webhooks/paysuper/{project}/",
            secret_key=secret,
            success_url="https://a.example/",
            fail_url="https://b.example/",
            callback_protocol="default",
        )
        for project, secret in ((HARBOUR, HARBOUR_SECRET), (SNOW, SNOW_SECRET))
    ]
    apply_projects(lantern, records, timezone.now())
    return lantern


def looked(merchant: Merchant, **found: object) -> str:
    known = {"succeeded_at": timezone.now(), "token_merchant": merchant.paysuper_id, "role": "owner"}
    Connection.objects.update_or_create(merchant=merchant, defaults=known | {"is_sandbox": False} | found)
    return reaching.connection(fresh(merchant)).state


def test_the_connection_answers_with_the_right_token(lantern: Merchant) -> None:
    assert reaching.connection(lantern).state == "todo"
    assert looked(lantern) == "green"
    assert looked(lantern, is_sandbox=True) == "todo"
    assert looked(lantern, failed_at=timezone.now() + dt.timedelta(1), error="401") == "red"
    assert looked(lantern, failed_at=None, token_merchant="5" * 24) == "red"
    assert looked(lantern, role="view_only") == "red"
    assert looked(lantern) == "green"
    Merchant.objects.filter(pk=lantern.pk).update(token_expires_at=timezone.now())
    assert looked(lantern) == "red"
    Merchant.objects.filter(pk=lantern.pk).update(refresh_token="r")
    assert looked(lantern) == "green"


def test_projects_are_in_production(known: Merchant) -> None:
    assert reaching.production(known).state == "green"
    MirroredProject.objects.filter(project__paysuper_id=SNOW).update(status=0)
    check = reaching.production(known)
    assert (check.state, "Snow" in check.text) == ("todo", True)
    MirroredProject.objects.all().delete()
    assert reaching.production(known).state == "todo"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"webhook_url": "https://elsewhere/"}, "PaySuper has another address"),
        ({"callback_protocol": "empty"}, "switched off at PaySuper"),
        ({"secret_matches": False}, "the secret key is another one than PaySuper's"),
        ({"webhook_url": ""}, "PaySuper has no address yet"),
    ],
)
def test_webhooks_are_set_up_on_both_sides(known: Merchant, wrong: dict[str, object], words: str) -> None:
    assert reaching.webhook_settings(known).state == "green"
    MirroredProject.objects.filter(project__paysuper_id=SNOW).update(**wrong)
    check = reaching.webhook_settings(known)
    assert (check.state, check.text) == ("red", f"Snow Defender ({words}).")
    assert check.link == f"/settings/projects/{SNOW}/"


def test_nothing_is_said_of_an_address_that_was_not_read(known: Merchant) -> None:
    MirroredProject.objects.filter(project__paysuper_id=SNOW).delete()
    check = reaching.webhook_settings(known)
    assert check.state == "todo"
    assert "Not read from PaySuper yet, whose address it has: Snow Defender." in check.text


def test_a_missing_secret_and_a_switch_are_seen(known: Merchant) -> None:
    Project.objects.filter(paysuper_id=SNOW).update(takes_webhooks=False)
    assert reaching.webhook_settings(known).state == "red"
    Project.objects.filter(paysuper_id=SNOW).update(secret_key="")
    assert reaching.webhook_settings(known).state == "todo"


def test_a_signed_event_has_come_for_every_project(known: Merchant) -> None:
    Project.objects.filter(paysuper_id=SNOW).delete()
    deliver(event("x"), secret="wrong")
    assert reaching.signed_events(known).state == "todo"
    deliver(event("x"))
    assert reaching.signed_events(known).state == "green"
    Project.objects.create(merchant=known, paysuper_id="9" * 24, name="Third")
    assert "Third" in reaching.signed_events(known).text


def test_a_test_payment_has_arrived(lantern: Merchant, harbour: Project, desk: Desk, ann: Person) -> None:
    order = mirrored_order(lantern, desk)
    assert customers.test_payment(lantern).state == "todo"
    mine = {"merchant": lantern, "project": harbour, "requested_by": ann.membership.user}
    TestPayment.objects.create(**mine, amount=1, currency="EUR", order_uuid=order.pk, state="made")
    assert customers.test_payment(lantern).state == "green"
    Transaction.objects.filter(pk=order.pk).update(status="rejected")
    assert customers.test_payment(lantern).state == "todo"


def test_receipts_are_decided_and_delivered(known: Merchant, harbour: Project, desk: Desk) -> None:
    assert customers.receipts(known).state == "todo"
    for project in Project.objects.filter(merchant=known):
        MailRule.objects.create(project=project, merchant=known)
    assert customers.receipts(known).state == "green"
    MailRule.objects.filter(project=harbour).update(mails_since=timezone.now())
    assert customers.receipts(known).state == "todo"
    order = mirrored_order(known, desk, project_id=HARBOUR)
    mail = {"merchant": known, "project": harbour, "transaction": order, "kind": "payment", "key": "k"}
    Message.objects.create(**mail, recipient="a@b.example", state="bounced", try_at=timezone.now())
    assert customers.receipts(known).state == "red"
    Message.objects.update(state="sent")
    assert customers.receipts(known).state == "green"


def test_pages_after_the_payment_are_set(known: Merchant, harbour: Project) -> None:
    assert customers.return_pages(known).state == "green"
    here = MirroredProject.objects.filter(project=harbour)
    here.update(success_url=f"{BASE}/thanks/{HARBOUR}/")
    assert customers.return_pages(known).state == "red"
    ReturnPage.objects.create(project=harbour, merchant=known, is_open=True)
    assert customers.return_pages(known).state == "green"
    here.update(fail_url="")
    assert customers.return_pages(known).state == "todo"


def test_there_are_two_owners_who_can_sign_in(ann: Person, lantern: Merchant) -> None:
    assert people.two_owners(lantern).state == "todo"
    second = person(lantern, "olga", "owner")
    assert people.two_owners(lantern).state == "green"
    User.objects.filter(pk=second.membership.user_id).update(is_active=False)
    assert people.two_owners(lantern).state == "todo"


def test_who_can_move_money_has_a_second_factor(
    ann: Person, vera: Person, lantern: Merchant, settings
) -> None:
    check = people.second_factor(lantern)
    assert check.state == "todo"
    assert vera.membership.user.email not in check.text
    if "allauth.mfa" not in settings.INSTALLED_APPS:
        return
    from allauth.mfa.models import Authenticator

    assert "ann@example.com" in check.text
    Authenticator.objects.create(user=ann.membership.user, type=Authenticator.Type.TOTP, data={})
    assert people.second_factor(lantern).state == "green"


def test_a_backup_is_noted_audited_and_grows_old(ann: Person, lantern: Merchant) -> None:
    assert people.backups(lantern).state == "todo"
    today = timezone.localdate()
    answer = ann.browser.post(PAGE, {"taken_on": today.isoformat(), "place": "the safe"}, follow=True)
    assert "the safe" in answer.content.decode()
    assert AuditEvent.objects.get(event="backup.noted").data["place"] == "the safe"
    assert people.backups(lantern).state == "green"
    BackupNote.objects.update(taken_on=today - dt.timedelta(days=31))
    assert people.backups(lantern).state == "todo"


@pytest.mark.parametrize(
    "wrong",
    [{"taken_on": "2999-01-01"}, {"taken_on": "x"}, {"place": ""}, {"place": "a\0"}, {"place": "x" * 201}],
)
def test_a_backup_that_cannot_be_is_refused(ann: Person, wrong: dict[str, str]) -> None:
    answer = ann.browser.post(PAGE, {"taken_on": "2026-01-31", "place": "the safe"} | wrong)
    assert answer.status_code == 400
    assert not BackupNote.objects.exists()


def test_the_page_shows_every_point_and_its_links_lead_somewhere(ann: Person, known: Merchant) -> None:
    shown = ann.browser.get(PAGE).content.decode()
    checks = going_live.checks(known)
    assert len(checks) == 10
    for check in checks:
        assert check.title in shown
        assert ann.browser.get(check.link).status_code == 200, check.link


def test_paysuper_is_asked_again_from_the_list_which_says_when_it_was(ann: Person, known: Merchant) -> None:
    assert "Ask PaySuper now" in ann.browser.get(PAGE).content.decode()
    looked(known, succeeded_at=dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC))
    shown = ann.browser.get(PAGE).content.decode()
    assert ("Ask PaySuper again" in shown, "31.01.2026, 13:00:00" in shown) == (True, True)
    answer = ann.browser.post("/settings/projects/read/", {"back": "going_live"}, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]


def test_a_point_that_only_an_owner_can_see_to_says_so_and_links_nowhere(
    ann: Person, known: Merchant
) -> None:
    developer = person(known, "dev", "developer")
    points = developer.browser.get(PAGE).content.decode().split('class="points"')[1].split("</ol>")[0]
    links = re.findall('<a href="([^"]+)"', points)
    assert all(developer.browser.get(html.unescape(each)).status_code == 200 for each in links)
    assert ("/team/invite/" in links, points.count("An owner does this.")) == (False, 1)
    assert "/accounts/second-factor/" in links
    assert "/team/invite/" in ann.browser.get(PAGE).content.decode()


def test_nothing_of_another_merchant_counts(copper: Merchant, ann: Person, known: Merchant) -> None:
    BackupNote.objects.create(
        merchant=copper, taken_on=timezone.localdate(), place="there", noted_by=ann.membership.user
    )
    assert people.backups(known).state == "todo"
