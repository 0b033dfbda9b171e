"""An invitation leads the reader of one mailbox into one team, once and for a while."""

import datetime as dt
import re
import threading
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from merchant import invitations, mailing, people, setup
from merchant.models import AuditEvent, Invitation, Mail, Membership, Merchant, User
from tests.conftest import PASSWORD, Person, person, signed_in

NEW = "new.person@example.com"
JOINING = {"name": "Nora New", "password": "seventeen-grey-otters", "again": "seventeen-grey-otters"}


def invite(by: Person, email: str = NEW, role: str = "support") -> str:
    """What the page says after an invitation."""
    return by.browser.post("/team/invite/", {"email": email, "role": role}, follow=True).content.decode()


def link() -> str:
    """The way in the newest mail, sent by now."""
    for mail_id in mailing.due():
        mailing.send(mail_id)
    found = re.search(r"https?://\S+/invitation/\?token=\S+", mail.outbox[-1].body)
    assert found
    return urlsplit(found[0])._replace(scheme="", netloc="").geturl()


def join(browser: Browser, way: str, **posted: str) -> str:
    browser.get(way)
    return browser.post("/invitation/", posted, follow=True).content.decode()


def test_a_new_person_joins_with_a_password_of_their_own(ann: Person) -> None:
    assert f"An invitation is on its way to {NEW}." in invite(ann)
    browser, way = Browser(), link()
    page = browser.get(way, follow=True).content.decode()
    assert "Join <bdi>Lantern Works GmbH</bdi>" in page
    assert "Welcome: you work for Lantern Works GmbH now, as Support." in join(browser, way, **JOINING)
    assert browser.get("/transactions/").status_code == 200
    member = Membership.objects.get(user__email=NEW)
    assert (member.role, str(member.user)) == ("support", "Nora New")
    assert member.user.check_password(JOINING["password"])
    joined = AuditEvent.objects.get(event="member.joined")
    assert (joined.user, joined.data) == (member.user, {"person": NEW, "role": "support"})


def test_the_mail_is_text_and_html_and_says_who_invites(ann: Person) -> None:
    User.objects.filter(pk=ann.membership.user_id).update(first_name="<b>Ann</b>\nBcc: all@example.com")
    invite(ann)
    way = link()
    sent = mail.outbox[-1]
    assert sent.to == [NEW]
    assert sent.subject == "<b>Ann</b> Bcc: all@example.com invites you to Lantern Works GmbH"
    assert way in sent.body
    html = sent.alternatives[0][0]
    assert way in html
    assert "<b>Ann" not in html


@pytest.mark.parametrize(
    "password", ["short-1", "password123", "new.person@example", "123456789012345", "Nora New 1"]
)
def test_a_weak_password_makes_no_account(ann: Person, password: str) -> None:
    invite(ann)
    join(Browser(), link(), **JOINING | {"password": password, "again": password})
    assert not User.objects.filter(email=NEW).exists()


def test_two_different_passwords_make_no_account(ann: Person) -> None:
    invite(ann)
    page = join(Browser(), link(), **JOINING | {"again": "eighteen-grey-otters"})
    assert "This is not the same password." in page
    assert not User.objects.filter(email=NEW).exists()


def test_somebody_with_an_account_joins_signed_in_as_that_address(ann: Person, cleo: Person) -> None:
    invite(ann, "Cleo@Example.com", "view_only")
    page = join(cleo.browser, link())
    assert "Welcome: you work for Lantern Works GmbH now, as View only." in page
    assert cleo.membership.user.memberships.count() == 2


def test_somebody_with_an_account_is_sent_to_sign_in_and_comes_back(ann: Person, cleo: Person) -> None:
    invite(ann, "cleo@example.com")
    browser, way = Browser(), link()
    assert "sign in to join" in browser.get(way, follow=True).content.decode()
    assert "Welcome" not in join(browser, way)
    posted = {"login": "cleo@example.com", "password": PASSWORD, "next": "/invitation/"}
    assert browser.post("/accounts/login/", posted)["Location"] == "/invitation/"
    assert "Welcome" in browser.post("/invitation/", follow=True).content.decode()


def test_the_link_of_somebody_else_is_of_no_use(ann: Person, ben: Person, cleo: Person) -> None:
    invite(ann, "cleo@example.com", "owner")
    page = join(ben.browser, link())
    assert "You are signed in as <bdi>ben@example.com</bdi>" in page
    assert again(ben).role == "support"
    assert Membership.objects.filter(user=cleo.membership.user).count() == 1


def again(who: Person) -> Membership:
    return Membership.with_ended.get(pk=who.membership.pk)


def test_an_invitation_is_good_once(ann: Person) -> None:
    invite(ann)
    way = link()
    join(Browser(), way, **JOINING)
    assert Browser().get(way).status_code == 404
    assert "This invitation is over" in Browser().get(way).content.decode()


def test_an_invitation_ends_with_its_time(ann: Person) -> None:
    invite(ann)
    way, browser = link(), Browser()
    browser.get(way)
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert browser.post("/invitation/", JOINING).status_code == 404
    assert Browser().get(way).status_code == 404
    assert not User.objects.filter(email=NEW).exists()


def test_sending_again_makes_a_new_link_and_ends_the_old_one(ann: Person) -> None:
    invite(ann)
    old = link()
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(days=1))
    ann.browser.post(f"/team/invitations/{Invitation.objects.get().pk}/resend/")
    new = link()
    assert Browser().get(old).status_code == 404
    assert "Welcome" in join(Browser(), new, **JOINING)
    assert AuditEvent.objects.filter(event="invitation.sent_again").count() == 1


def test_what_was_taken_back_leads_nowhere_and_its_mail_is_not_sent(ann: Person) -> None:
    invite(ann)
    ann.browser.post(f"/team/invitations/{Invitation.objects.get().pk}/revoke/")
    assert mailing.due() == []
    assert Mail.objects.get().state == "canceled"
    assert AuditEvent.objects.filter(event="invitation.taken_back").count() == 1
    assert (
        "does not wait any more"
        in ann.browser.post(
            f"/team/invitations/{Invitation.objects.get().pk}/resend/", follow=True
        ).content.decode()
    )


def test_neither_the_database_nor_the_page_holds_the_way_in(ann: Person) -> None:
    invite(ann)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM merchant_mail, merchant_invitation")
        stored = str(cursor.fetchall())
    token = link().partition("token=")[2]
    assert token not in stored
    assert token not in ann.browser.get("/team/").content.decode()
    assert Mail.objects.get().text == ""
    assert "token" not in str(list(AuditEvent.objects.values_list("data", flat=True)))


def test_the_way_in_leaves_the_address_bar(ann: Person) -> None:
    invite(ann)
    answer = Browser().get(link())
    assert answer["Location"] == "/invitation/"


def test_inviting_says_the_same_of_people_with_and_without_an_account(ann: Person, cleo: Person) -> None:
    with_account = invite(ann, "cleo@example.com").replace("cleo@example.com", "X")
    assert "An invitation is on its way to X." in with_account
    assert "An invitation is on its way to X." in invite(ann).replace(NEW, "X")


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a\0@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_is_not_invited(ann: Person, email: str) -> None:
    invite(ann, email)
    assert not Invitation.objects.exists()


def test_nobody_is_invited_twice_nor_who_is_in_the_team(ann: Person, ben: Person) -> None:
    invite(ann)
    assert "has been invited already" in invite(ann, NEW.upper())
    assert "in the team already" in invite(ann, "ben@example.com")
    assert Invitation.objects.count() == 1


def test_no_more_wait_than_somebody_could_mean(ann: Person, lantern: Merchant, monkeypatch) -> None:
    monkeypatch.setattr(invitations, "MOST_WAITING", 2)
    for number in range(3):
        invite(ann, f"p{number}@example.com")
    assert Invitation.objects.count() == 2


def test_who_left_comes_back_by_an_invitation_with_its_role(ann: Person, ben: Person) -> None:
    people.deactivate(ben.membership, ann.membership.user)
    invite(ann, "ben@example.com", "accounting")
    browser = signed_in(User.objects.get(email="ben@example.com"))
    assert "as Accounting" in join(browser, link())
    assert again(ben).role == "accounting"


def test_who_became_a_member_otherwise_keeps_that_role(ann: Person, lantern: Merchant) -> None:
    invite(ann, "otto@example.com", "owner")
    otto = person(lantern, "otto", "view_only")
    join(otto.browser, link())
    assert again(otto).role == "view_only"


def test_inviting_asks_for_the_password_again_and_keeps_what_was_typed(ann: Person) -> None:
    browser = signed_in(ann.membership.user, minutes_ago=31)
    asked = browser.post("/team/invite/", {"email": NEW, "role": "owner"})
    assert asked["Location"] == "/accounts/reauthenticate/?next=%2Fteam%2Finvite%2F"
    assert not Invitation.objects.exists()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": "/team/invite/"})
    assert NEW in browser.get("/team/invite/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_join_once(ann: Person, lantern: Merchant) -> None:
    sent = invitations.invite(lantern, NEW, "support", ann.membership.user)
    user = setup.add_member(lantern, NEW, PASSWORD, "support").user
    Membership.objects.filter(user=user).delete()
    start, over = threading.Barrier(2), []

    def accept() -> None:
        start.wait()
        try:
            invitations.accept(sent, user)
        except invitations.NotOpen:
            over.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=accept) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(over) == 1
    assert AuditEvent.objects.filter(event="member.joined").count() == 1


@pytest.mark.parametrize("end", ["deactivate", "change_role"])
def test_an_invitation_does_not_outlive_the_right_of_who_sent_it(
    ann: Person, lantern: Merchant, end: str
) -> None:
    otto = person(lantern, "otto", "owner")
    invite(otto, role="owner")
    way = link()
    invite(otto, "second@example.com")
    assert Browser().get(way).status_code == 302
    second = Invitation.objects.get(email="second@example.com")
    ann.browser.post(f"/team/invitations/{second.pk}/resend/")
    if end == "deactivate":
        people.deactivate(otto.membership, ann.membership.user)
    else:
        people.change_role(otto.membership, "developer", ann.membership.user)
    assert Browser().get(way).status_code == 404
    assert AuditEvent.objects.filter(event="invitation.taken_back", user=ann.membership.user).count() == 1
    # The one that a colleague has sent again is that colleague's.
    assert lantern.invitations.waiting().get() == second
