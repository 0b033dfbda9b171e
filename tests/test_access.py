"""Everybody reaches what the table of addresses says. An address that is not in it fails a test."""

from pathlib import Path

import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client as Browser
from django.urls import get_resolver
from django.utils import timezone

from fulfillment.models import (
    Action,
    Batch,
    Claim,
    FulfilmentRule,
    KeyReplacement,
    MailRule,
    Message,
    ReceiptPage,
    ReturnPage,
    ServerCall,
    TestPayment,
    WebhookEvent,
)
from merchant import invitations, mailing, setup
from merchant.models import Merchant, Project, User
from merchant.paysuper.sandbox import Sandbox
from tests.access_table import ENDS, EXPECTED, ROWS, WHO
from tests.access_walk import FILLED_IN, address_of, asked, asked_by, walk
from tests.conftest import HARBOUR, PASSWORD, Person, signed_in
from tests.fulfillment.desk import Desk, mirrored_order
from tests.merchant.sandbox_client import client
from tests.transactions.schedules import daily
from transactions.models import Export, Note, SavedView, ScheduleMail, ScheduleRun, Transaction


@pytest.fixture
def exports_folder(settings, tmp_path: Path) -> None:
    place = {"location": str(tmp_path), "base_url": None}
    settings.STORAGES = settings.STORAGES | {
        "exports": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": place}
    }


@pytest.fixture
def people(lantern: Merchant, copper: Merchant) -> dict[str, User]:
    """One user of every kind but the anonymous one."""
    colleagues = {
        role: setup.add_member(lantern, f"{role}@example.com", PASSWORD, role).user for role in WHO[:5]
    }
    stranger = setup.add_member(copper, "stranger@example.com", PASSWORD, "owner").user
    return colleagues | {
        "stranger": stranger,
        "nobody": User.objects.create_user("nobody@example.com", PASSWORD),
    }


@pytest.fixture
def things(
    people: dict[str, User], exports_folder: None, order: Transaction, harbour: Project
) -> dict[str, object]:
    """What Lantern Works has, by the parts of addresses."""
    mine = {"merchant": order.merchant}
    file_name = storages["exports"].save("list.csv", ContentFile(b"a,b"))
    export = Export.objects.create(
        **mine,
        requested_by=people["owner"],
        format="csv",
        state="ready",
        file_name=file_name,
        sha256="a" * 64,
    )
    now = timezone.now()
    event = {"event": "payment.success", "body": "{}", "last_received_at": now, "try_at": now}
    webhook = WebhookEvent.objects.create(**mine, **event, project=harbour, event_id="a", object_hash="b")
    action = Action.objects.create(
        **mine, transaction=order, kind="refund", state="needs_person", requested_by=people["owner"]
    )
    replacement = KeyReplacement.objects.create(
        **mine, transaction=order, product_id="a", state="needs_person", requested_by=people["owner"]
    )
    body = '{"order": {"items": []}}'
    call = ServerCall.objects.create(
        **mine,
        project=harbour,
        transaction=order,
        event="order.paid",
        body=body,
        try_at=now,
        state="given_up",
    )
    batch = Batch.objects.create(**mine, kind="refund", requested_by=people["owner"], key="a")
    MailRule.objects.create(**mine, project=order.project, logo=b"a picture")
    message = Message.objects.create(
        **mine, project=order.project, transaction=order, kind="payment", key="a", try_at=now
    )
    schedule = daily(order.merchant, people["owner"], people["owner"])
    run = ScheduleRun.objects.create(**mine, schedule=schedule, due_at=now)
    mail_ = ScheduleMail.objects.create(**mine, run=run, user=people["owner"], try_at=now)
    note = Note.objects.create(**mine, transaction=order, text="Called back.", written_by=people["owner"])
    view = SavedView.objects.create(
        **mine, owner=people["owner"], name="Paid", query="status=processed", shared=True
    )
    ReturnPage.objects.create(**mine, project=harbour, is_open=True)
    test = TestPayment.objects.create(
        **mine,
        project=harbour,
        amount=1,
        currency="EUR",
        requested_by=people["owner"],
        return_token="from-the-shop",
    )
    invited = invitations.invite(order.merchant, "invited@example.com", "support", people["owner"])
    # Somebody whom nobody here is, or a role would change while the table is walked.
    left = setup.add_member(order.merchant, "left@example.com", PASSWORD, "support")
    return {
        "<int:view_id>": view.pk,
        "<uuid:uuid>": order.pk,
        "<uuid:batch_id>": batch.pk,
        "<uuid:export_id>": export.pk,
        "<int:event_id>": webhook.pk,
        "<int:action_id>": action.pk,
        "<int:replacement_id>": replacement.pk,
        "<int:call_id>": call.pk,
        "<int:message_id>": message.pk,
        "<str:token>": ReceiptPage.of(order).token,
        "<int:schedule_id>": schedule.pk,
        "<int:mail_id>": mail_.pk,
        "<int:note_id>": note.pk,
        "<int:position>": 0,
        "<slug:project_id>": HARBOUR,
        "<int:pk>": 0,
        "<int:session_id>": 0,
        "<int:test_id>": test.pk,
        "<int:invitation_id>": invited.pk,
        "<int:membership_id>": left.pk,
    } | ENDS


@pytest.fixture
def order(lantern: Merchant, paysuper: Sandbox) -> Transaction:
    """An order of Lantern Works."""
    with client(paysuper) as api:
        return mirrored_order(lantern, Desk(api), kind="key")


def test_every_address_is_in_the_table() -> None:
    assert {pattern for pattern, _ in EXPECTED} == set(walk(get_resolver()))
    assert {method for _, method in EXPECTED} == {"GET", "POST"}
    assert len(EXPECTED) == len(ROWS) == 2 * len(set(walk(get_resolver())))


@pytest.mark.parametrize("who", WHO)
def test_everybody_reaches_what_the_table_says_and_nothing_else(
    who: str, people: dict[str, User], things: dict[str, object]
) -> None:
    wanted = {key: cells[who] for key, cells in EXPECTED.items()}
    # One browser looks at everything; whoever does something has just signed in.
    browser = signed_in(people[who]) if who in people else Browser()
    found = {
        (pattern, method): asked_by(browser, method, address_of(pattern, things))
        if method == "GET"
        else asked(who, method, pattern, people, things)
        for pattern, method in sorted(EXPECTED, key=lambda key: key[1])
    }
    assert {key: found[key] for key in found if found[key] != wanted[key]} == {}


def test_only_receipts_webhooks_health_and_the_way_in_are_open_to_the_anonymous() -> None:
    opened = {pattern for (pattern, _), cells in EXPECTED.items() if cells["anonymous"] != "login"}
    closed = {pattern for pattern in opened if not pattern.startswith("/accounts/")}
    assert closed == {
        "/receipts/<str:token>/",
        "/receipts/<str:token>/logo/",
        "/webhooks/paysuper/<slug:project_id>/",
        "/webhooks/paysuper/<slug:project_id>",
        "/thanks/<slug:project_id>/",
        "/thanks/<slug:project_id>/logo/",
        "/thanks/<slug:project_id>/<str:token>/",
        "/sorry/<slug:project_id>/",
        "/sorry/<slug:project_id>/<str:token>/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/invitation/",
    }


def test_who_may_not_does_not(people: dict[str, User], things: dict[str, object]) -> None:
    for who in ("accounting", "view_only", "stranger", "nobody", "anonymous"):
        for verb in ("fulfil", "unfulfil", "refund", "claim", "withdraw", "restore"):
            asked(who, "POST", f"/transactions/<uuid:uuid>/{verb}/", people, things)
        asked(who, "POST", "/settings/projects/<slug:project_id>/fulfilment/", people, things)
        asked(who, "POST", "/server-calls/<int:call_id>/resend/", people, things)
        for verb in ("close", "undo", "decide"):
            asked(who, "POST", f"/actions/<int:action_id>/{verb}/", people, things)
        asked(who, "POST", "/settings/refunds/", people, things)
    action = Action.objects.get()
    assert (action.state, action.transaction.fulfilment) == ("needs_person", "unfulfilled")
    assert not Claim.objects.exists()
    assert not FulfilmentRule.objects.exists()
    assert ServerCall.objects.get().state == "given_up"


def test_nobody_signs_up(db: None) -> None:
    page = Browser().post("/accounts/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert page.status_code == 200
    assert not User.objects.exists()


def test_a_forgotten_password_tells_nobody_which_addresses_are_known(ann: Person) -> None:
    answers = [
        Browser().post("/accounts/password/reset/", {"email": f"{name}@example.com"})
        for name in ("ann", "never-heard-of")
    ]
    assert len({(answer.status_code, answer["Location"]) for answer in answers}) == 1
    for mail_id in mailing.due():
        mailing.send(mail_id)
    assert "ann@example.com" in {address for message in mail.outbox for address in message.to}


def test_a_form_without_its_token_is_turned_away(ben: Person, order: Transaction) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(ben.membership.user)
    assert browser.post(f"/transactions/{order.pk}/refund/", FILLED_IN).status_code == 403


def test_the_choice_of_a_foreign_merchant_in_the_session_is_not_believed(ben: Person, cleo: Person) -> None:
    session = ben.browser.session
    session["merchant"] = cleo.membership.merchant_id
    session.save()
    foreign = Transaction.objects.filter(merchant=cleo.membership.merchant).first()
    assert ben.browser.get(f"/transactions/{foreign.pk}/").status_code == 404


def test_somebody_who_left_the_team_is_shut_out_at_once(ben: Person) -> None:
    assert ben.browser.get("/transactions/").status_code == 200
    ben.membership.delete()
    assert ben.browser.get("/transactions/").status_code == 403


def test_a_changed_role_counts_from_the_next_click(ben: Person, order: Transaction) -> None:
    ben.membership.role = "view_only"
    ben.membership.save()
    assert ben.browser.post(f"/transactions/{order.pk}/refund/", FILLED_IN).status_code == 403
